# Horizontal bars, one below another, for each design and N: first those that have a CPU for each
# worker; below them, on a scale of their own, those that have not and would dwarf the others. Loaded
# after style.gp; `head` are the pixels above the bars, for the legend.

array bars[2]                      # of either block, "design@N" each
bars[1] = bars[2] = ""
longest = 0
bar(_) = strcol("mode")."@".strcol("workers")
set datafile missing "?"
stats data using (block = column("oversubscribed") == 1 ? 2 : 1, \
    bars[block] = bars[block]." ".bar(0), \
    longest = strlen(bar(0)) > longest ? strlen(bar(0)) : longest, 0) nooutput
set datafile missing NaN

bar_height = 25.0
labels = 8.6 * longest + 24        # pixels beside the bars
height_of(b) = words(bars[b]) > 0 ? bar_height * words(bars[b]) + 92 : 0
plot_height = head + height_of(1) + height_of(2)
load here."output.gp"

place_in(b) = sum [i = 1:words(bars[b])] (word(bars[b], i) eq bar(0) ? i : 0)
y(b) = place_in(b) > 0 ? -place_in(b) : NaN
share(pixels) = 1.0 - 1.0 * (head + pixels) / plot_height   # of the picture, from the pixels below the head
name_of(text) = text[1:strstrt(text, "@") - 1]
count_of(text) = text[strstrt(text, "@") + 1:strlen(text)]
names(b) = sum [i = 1:words(bars[b])] (text = word(bars[b], i), \
    tics = tics.sprintf("%s'%s, %s' %d", i > 1 ? ", " : "", name_of(text), count_of(text), -i), 0)
# The frame of block b's panel between two pixels from the left.
frame = "set tmargin at screen share((b == 2 ? height_of(1) : 0) + 26); \
    set bmargin at screen share((b == 2 ? height_of(1) : 0) + 26 + bar_height * words(bars[b])); \
    set lmargin at screen 1.0 * from / plot_width; \
    set rmargin at screen 1.0 * to / plot_width; \
    set yrange [-words(bars[b]) - 0.5:-0.5]; unset object; unset label; \
    if (b == 2) { set object 1 rectangle from graph 0, graph 0 to graph 1, graph 1 behind \
        fillcolor rgb shade fillstyle solid noborder; \
        set label 1 'more workers than CPUs' at graph 0, screen share(height_of(1) + 12) \
            left font ',13' textcolor rgb soft }"
# With their names, which the panels beside it do without.
named = "tics = ''; dummy = names(b); eval 'set ytics scale 0 font \",13\" ('.tics.')'"
digits(v) = v >= 99.5 ? sprintf("%.0f", v) : v >= 9.95 ? sprintf("%.1f", v) : \
    v >= 0.0995 ? sprintf("%.2f", v) : v == 0 ? "0" : sprintf("%.3f", v)
# The sum of the first `last` parts of `parts` in a row.
upto(parts, last) = last < 1 ? 0 : sum [i = 1:last] column(word(parts, i))
larger(a, b) = a > b ? a : b
set border 1
unset grid
set grid xtics linecolor rgb 0xDDDDDD linewidth 0.6
unset key
# The legend, once for all panels: plotted last, over the whole picture.
legend = "unset title; unset xlabel; unset ylabel; unset tics; unset border; unset grid; \
    unset object; unset label; set margins screen 0, screen 1, screen 0, screen 1; \
    set xrange [0:1]; set yrange [0:1]; \
    set key at screen 0.5, screen 1 - 4.0 / plot_height center top horizontal Left reverse \
        samplen 1 width -2 maxrows 3 font ',13'"
