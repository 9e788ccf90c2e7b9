# Speedup against workers: one line per mode with its intervals, single runs and values, the ideal
# line, what each mode loses of it (shaded), and the table of workers, time, speedup and efficiency.
#
# Reads speedup.csv: mode, workers, oversubscribed (0 or 1), repetition (0: the medians), of which
# the plot shows speedup, speedup_low and speedup_high (may be empty), and the table time_seconds
# (training on the same images whatever N), images_per_second, speedup and efficiency.
# By hand:  gnuplot -c experiments/plots/speedup.gp DIR/plots svg speedup     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("speedup.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"
load here."workers.gp"

rows = 0
top = fair         # speedup
number(text) = text eq "" ? 0 : text + 0   # an empty cell is no number
set datafile missing "?"
stats data using (rows = rows + is_median(0), \
    top = larger(top, larger(column("speedup"), number(strcol("speedup_high")))), 0) nooutput
set datafile missing NaN

extra = over > 0 ? 3 : 2           # lines beside the rows
plot_height = 470 + 26 * (rows + extra)
load here."output.gp"
table = 26.0 * (rows + extra) / plot_height   # share of the picture

set multiplot
set lmargin at screen 0.13
set rmargin at screen 0.97
set bmargin at screen table + 0.09 * (1 - table) + 0.03
set tmargin at screen 0.98
set xlabel offset 0,0.4
set ylabel "speedup T(1) / T(N)"
high = top * 1.15
set yrange [0:high]
set key top left noopaque Left reverse
set arrow 1 from 1, 1 to fair, fair nohead dashtype 2 linecolor rgb soft linewidth 1.5
line = 0.05 * high                 # of text
y_value(m) = lowest[nth(column("workers"))] - line * lines_below(m)
plot for [m in modes] data using (fair_of(m, "workers")):"workers":(fair_of(m, "speedup")) \
         with filledcurves fillcolor rgb color_of(m) fillstyle transparent solid 0.12 notitle, \
     NaN with lines dashtype 2 linecolor rgb soft linewidth 1.5 title "ideal", \
     for [m in modes] data using (at(column("workers"))):(fair_of(m, "speedup")) with lines \
         linecolor rgb color_of(m) linewidth 2 notitle, \
     for [m in modes] data using (at(column("workers"))):(over_of(m, "speedup")) with lines \
         linecolor rgb color_of(m) linewidth 1.2 notitle, \
     for [m in modes] data using (at(column("workers"))):(edge_of(m, "speedup")) with lines \
         dashtype 3 linecolor rgb color_of(m) linewidth 1.2 notitle, \
     for [m in modes] data using (x(m) + beside):(run_of(m, "speedup")) with points pointtype 7 \
         pointsize 0.4 linecolor rgb color_of(m) notitle, \
     for [m in modes] data using (x(m)):(median_of(m, "speedup")):"speedup_low":"speedup_high" \
         with yerrorbars pointtype 0 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(over_of(m, "speedup")) with points pointtype 7 \
         pointsize 1.2 linecolor rgb "white" notitle, \
     for [m in modes] data using (x(m)):(over_of(m, "speedup")) with points \
         pointtype point_of(m) - 1 pointsize 1.2 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(fair_of(m, "speedup")) with points \
         pointtype point_of(m) pointsize 1.2 linecolor rgb color_of(m) notitle, \
     for [m in modes] data using (at(column("workers"))):(y_value(m)): \
         (value_of(m, "%.2f", "speedup", 1)) with labels font ",13" \
         textcolor rgb color_of(m) notitle, \
     for [m in modes] NaN with linespoints pointtype point_of(m) pointsize 1.2 linewidth 2 \
         linecolor rgb color_of(m) title m

# The table: a plot of text.
unset object
unset label
unset arrow
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
set label 12 "workers" at 0.36, 0.1 right font ",14" textcolor rgb soft
set label 13 "time" at 0.52, 0.1 right font ",14" textcolor rgb soft
set label 14 "images/s" at 0.68, 0.1 right font ",14" textcolor rgb soft
set label 15 "speedup" at 0.83, 0.1 right font ",14" textcolor rgb soft
set label 16 "efficiency" at 0.99, 0.1 right font ",14" textcolor rgb soft
set arrow 11 from 0, -0.45 to 1, -0.45 nohead linecolor rgb 0xBBBBBB
if (over > 0) {
    set label 17 "* more workers than CPUs" at 0.0, -rows - 1.1 left font ",13" textcolor rgb soft
}
y(row) = is_median(0) ? -row - 1 : NaN
mark(text) = column("oversubscribed") == 1 ? text."*" : text
plot for [m in modes] data using (0):(strcol("mode") eq m ? y($0) : NaN):(m) with labels left \
         font ",15" textcolor rgb color_of(m), \
     data using (0.36):(y($0)):(mark(sprintf("%d", column("workers")))) with labels right \
         font ",15", \
     data using (0.52):(y($0)):(sprintf("%.2f s", column("time_seconds"))) with labels right \
         font ",15", \
     data using (0.68):(y($0)):(sprintf("%.0f", column("images_per_second"))) with labels right \
         font ",15", \
     data using (0.83):(y($0)):(sprintf("%.2f", column("speedup"))) with labels right font ",15", \
     data using (0.99):(y($0)):(sprintf("%.0f %%", 100 * column("efficiency"))) \
         with labels right font ",15"
unset multiplot
