# How long single steps took: a histogram for each design and N, one below the other.
#
# Reads steps.csv: mode, workers, place (of the histogram, from the top), low_ms and high_ms of a
# bar, steps in it, p50_ms and p95_ms (of the histogram), beyond (steps that are longer than the
# axis), longest_ms, and share_of_highest, the bar's height.
# By hand:  gnuplot -c experiments/plots/steps.gp DIR/plots svg steps     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("steps.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

rows = 0
last = 0.0
first = 1e9
larger(a, b) = a > b ? a : b
smaller(a, b) = a < b ? a : b
rows_text = ""
before = -1
# The name of each histogram, once.
note_row(_) = column("place") == before ? 0 : (before = column("place"), \
    rows_text = rows_text.sprintf("%s'%s, N = %d' %d", before > 0 ? ", " : "", strcol("mode"), \
                                  column("workers"), -before), 0)
set datafile missing "?"
stats data using (rows = larger(rows, column("place") + 1), \
    last = larger(last, column("high_ms")), first = smaller(first, column("low_ms")), \
    note_row(0)) nooutput
set datafile missing NaN

plot_height = 130 + 62 * rows
load here."output.gp"
bottom(_) = -column("place") - 0.02
top(_) = bottom(0) + 0.86 * column("share_of_highest")
middle(_) = (column("low_ms") + column("high_ms")) / 2
starts(_) = column("place") != before ? (before = column("place"), 1) : 0
span = last - first
set xrange [first - 0.01 * span:last + 0.01 * span]
set yrange [-(rows - 1) - 0.1:1.05]
unset ytics
eval "set ytics scale 0 font ',13' (".rows_text.")"
unset grid
set grid xtics linecolor rgb 0xDDDDDD linewidth 0.6
set border 1
set lmargin 20
set rmargin 24 # for what lies beyond the axis
set xlabel "ms a step"
set key outside top center horizontal Left reverse samplen 1.6 width 1 font ",13"
before = -1
beyond(_) = sprintf("%s%.3g ms", column("beyond") > 0 ? \
    sprintf("%d beyond, to ", column("beyond")) : "longest ", column("longest_ms"))
plot data using (middle(0)):(bottom(0)):(column("low_ms")):(column("high_ms")):(bottom(0)): \
         (top(0)):(color_of(strcol("mode"))) with boxxyerror fillcolor rgb variable \
         fillstyle solid 1.0 border linecolor rgb "white" linewidth 0.4 notitle, \
     data using (column("p50_ms")):(bottom(0)):(0):(0.9) with vectors nohead linewidth 1.6 \
         linecolor rgb 0x222222 title "p50", \
     data using (column("p95_ms")):(bottom(0)):(0):(0.9) with vectors nohead linewidth 1.6 \
         dashtype 2 linecolor rgb 0x222222 title "p95", \
     data using (starts(0) ? last + 0.01 * span : NaN):(bottom(0) + 0.3):(beyond(0)) with labels \
         left font ",12" textcolor rgb soft notitle
