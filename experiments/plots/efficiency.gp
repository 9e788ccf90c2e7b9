# Efficiency, speedup / N, against workers: one line per mode with its intervals, single runs and
# values.
#
# Reads efficiency.csv: mode, workers, oversubscribed (0 or 1), repetition (0: the medians),
# efficiency_low and efficiency_high (may be empty), efficiency; 1 is ideal; and speedup,
# speedup_low.
# By hand:  gnuplot -c experiments/plots/efficiency.gp DIR/plots svg efficiency     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("efficiency.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"
load here."workers.gp"

top = 1.0
number(text) = text eq "" ? 0 : text + 0   # an empty cell is no number
set datafile missing "?"
stats data using (top = larger(top, larger(column("efficiency"), number(strcol("efficiency_high")))), 0) nooutput
set datafile missing NaN

plot_height = 470
load here."output.gp"
set ylabel "efficiency, % of ideal"
high = 1.06 * top
set yrange [0:100 * high]
set ytics 20
if (over > 0) {
    set label 1 at graph 0.985, graph 0.8   # below the ideal line
}
set key bottom left noopaque Left reverse
low(m) = 100 * median_of(m, "efficiency_low")
line = 0.05 * high
least(_) = lowest[nth(column("workers"))] / column("workers")
most_of(_) = highest[nth(column("workers"))] / column("workers")
y_value(m) = 100 * (least(0) > 0.35 ? least(0) - line * lines_below(m) : \
                                      most_of(0) + line * lines_above(m))
plot 100 with lines dashtype 2 linecolor rgb soft linewidth 1.5 title "ideal", \
     for [m in modes] data using (at(column("workers"))):(100 * fair_of(m, "efficiency")) \
         with lines linecolor rgb color_of(m) linewidth 2 notitle, \
     for [m in modes] data using (at(column("workers"))):(100 * over_of(m, "efficiency")) \
         with lines linecolor rgb color_of(m) linewidth 1.2 notitle, \
     for [m in modes] data using (at(column("workers"))):(100 * edge_of(m, "efficiency")) \
         with lines dashtype 3 linecolor rgb color_of(m) linewidth 1.2 notitle, \
     for [m in modes] data using (x(m) + beside):(100 * run_of(m, "efficiency")) with points \
         pointtype 7 pointsize 0.4 linecolor rgb color_of(m) notitle, \
     for [m in modes] data using (x(m)):(100 * median_of(m, "efficiency")):(low(m)): \
         (100 * median_of(m, "efficiency_high")) \
         with yerrorbars pointtype 0 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(100 * over_of(m, "efficiency")) with points pointtype 7 \
         pointsize 1.2 linecolor rgb "white" notitle, \
     for [m in modes] data using (x(m)):(100 * over_of(m, "efficiency")) with points \
         pointtype point_of(m) - 1 pointsize 1.2 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(100 * fair_of(m, "efficiency")) with points \
         pointtype point_of(m) pointsize 1.2 linecolor rgb color_of(m) notitle, \
     for [m in modes] data using (at(column("workers"))):(y_value(m)): \
         (value_of(m, "%.0f", "efficiency", 100)) with labels font ",13" \
         textcolor rgb color_of(m) notitle, \
     for [m in modes] NaN with linespoints pointtype point_of(m) pointsize 1.2 linewidth 2 \
         linecolor rgb color_of(m) title m
