# Speedup against workers: one line per mode with its intervals and single runs, the ideal line,
# what each mode loses of it (shaded), and the table of workers, time, speedup and efficiency.
#
# Reads speedup.csv: mode, workers, oversubscribed (0 or 1), repetition (0: the medians), of which
# the plot shows speedup, speedup_low and speedup_high (may be empty), and the table time_seconds
# (training on the same images whatever N), images_per_second, speedup and efficiency.
# By hand:  gnuplot -c experiments/plots/speedup.gp DIR/plots svg speedup     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("speedup.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

rows = 0
most = 1           # workers
fair = 1           # of those not oversubscribed
over = 0           # the smallest N that is
top = 1            # speedup
set datafile missing "?"
number(text) = text eq "" ? 0 : text + 0   # an empty cell is no number
is_median(nothing) = column("repetition") == 0
stats data using (note_mode(strcol("mode")), rows = rows + is_median(0), n = column("workers"), \
    most = n > most ? n : most, \
    column("oversubscribed") == 1 ? (over = over == 0 || n < over ? n : over) \
                                  : (fair = n > fair ? n : fair), \
    top = column("speedup") > top ? column("speedup") : top, \
    top = number(strcol("speedup_high")) > top ? number(strcol("speedup_high")) : top, 0) \
    nooutput
set datafile missing NaN

extra = over > 0 ? 3 : 2           # lines beside the rows
plot_height = 430 + 26 * (rows + extra)
load here."output.gp"
table = 26.0 * (rows + extra) / plot_height   # share of the picture

set multiplot
set lmargin at screen 0.10
set rmargin at screen 0.97
set bmargin at screen table + 0.09 * (1 - table) + 0.03
set tmargin at screen 0.98
set xlabel "workers N" offset 0,0.4
set ylabel "speedup T(1) / T(N)" offset 0.5,0
set xrange [0.9:most + 0.15 * (most > 2 ? most / 2.0 : 1)]
# The ideal line leaves the picture where too many workers share the CPUs.
high = (fair > top ? fair : top) * 1.15
set yrange [0:high]
set xtics 1, most > 8 ? ceil(most / 8.0) : 1
set key bottom center noopaque Left reverse
if (over > 0) {
    edge = (fair + over) / 2.0
    set object 1 rectangle from edge, graph 0 to graph 1, graph 1 behind \
        fillcolor rgb shade fillstyle solid noborder
    set label 1 "more workers than CPUs" at graph 0.985, graph 0.05 right font ",13" \
        textcolor rgb soft
}
# Modes stand a little apart, so that none hides another.
place(m) = sum [i = 1:words(modes)] (word(modes, i) eq m ? i : 0)
beside = 0.006 * most              # of a median's point, that of a run
x(m) = column("workers") + (place(m) - (words(modes) + 1) / 2.0) * 0.012 * most
pick(mode, name) = strcol("mode") eq mode && is_median(0) ? column(name) : NaN
run_value(mode) = strcol("mode") eq mode && !is_median(0) ? column("speedup") : NaN
fair_value(mode) = column("oversubscribed") == 0 ? pick(mode, "speedup") : NaN
over_value(mode) = column("oversubscribed") == 1 ? pick(mode, "speedup") : NaN
plot for [m in modes] data using "workers":(column("oversubscribed") == 0 ? \
         pick(m, "workers") : NaN):(fair_value(m)) with filledcurves \
         fillcolor rgb color_of(m) fillstyle transparent solid 0.12 notitle, \
     "+" using 1:1 with lines dashtype 2 linecolor rgb soft linewidth 1.5 title "ideal", \
     for [m in modes] data using (x(m)):(pick(m, "speedup")) with lines \
         linecolor rgb color_of(m) linewidth 2 notitle, \
     for [m in modes] data using (x(m) + beside):(run_value(m)) with points pointtype 7 \
         pointsize 0.4 linecolor rgb color_of(m) notitle, \
     for [m in modes] data using (x(m)):(pick(m, "speedup")):"speedup_low":"speedup_high" \
         with yerrorbars pointtype 0 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(over_value(m)) with points pointtype 7 pointsize 1.2 \
         linecolor rgb "white" notitle, \
     for [m in modes] data using (x(m)):(over_value(m)) with points \
         pointtype point_of(m) - 1 pointsize 1.2 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(fair_value(m)) with points \
         pointtype point_of(m) pointsize 1.2 linecolor rgb color_of(m) notitle, \
     for [m in modes] NaN with linespoints pointtype point_of(m) pointsize 1.2 linewidth 2 \
         linecolor rgb color_of(m) title m

# The table: a plot of text.
unset object
unset label
unset xlabel
unset ylabel
unset xtics
unset ytics
unset grid
unset border
unset key
set tmargin at screen table
set bmargin at screen 0.005
set xrange [0:1]
set yrange [-rows + 1.3 - extra:0.8]
set label 11 "mode" at 0.00, 0.1 left font ",14" textcolor rgb soft
set label 12 "workers" at 0.26, 0.1 right font ",14" textcolor rgb soft
set label 13 "time" at 0.42, 0.1 right font ",14" textcolor rgb soft
set label 14 "images/s" at 0.60, 0.1 right font ",14" textcolor rgb soft
set label 15 "speedup" at 0.78, 0.1 right font ",14" textcolor rgb soft
set label 16 "efficiency" at 0.99, 0.1 right font ",14" textcolor rgb soft
set arrow 11 from 0, -0.45 to 1, -0.45 nohead linecolor rgb 0xBBBBBB
if (over > 0) {
    set label 17 "* more workers than CPUs" at 0.0, -rows - 1.1 left font ",13" textcolor rgb soft
}
y(row) = is_median(0) ? -row - 1 : NaN
mark(text) = column("oversubscribed") == 1 ? text."*" : text
plot for [m in modes] data using (0):(strcol("mode") eq m ? y($0) : NaN):(m) with labels left \
         font ",15" textcolor rgb color_of(m), \
     data using (0.26):(y($0)):(mark(sprintf("%d", column("workers")))) with labels right \
         font ",15", \
     data using (0.42):(y($0)):(sprintf("%.2f s", column("time_seconds"))) with labels right \
         font ",15", \
     data using (0.60):(y($0)):(sprintf("%.0f", column("images_per_second"))) with labels right \
         font ",15", \
     data using (0.78):(y($0)):(sprintf("%.2f", column("speedup"))) with labels right font ",15", \
     data using (0.99):(y($0)):(sprintf("%.0f %%", 100 * column("efficiency"))) \
         with labels right font ",15"
unset multiplot
