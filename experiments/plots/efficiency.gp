# Efficiency, speedup / N, against workers: one line per mode with its intervals and single runs.
#
# Reads efficiency.csv: mode, workers, oversubscribed (0 or 1), repetition (0: the medians),
# efficiency_low and efficiency_high (may be empty), efficiency; 1 is ideal.
# By hand:  gnuplot -c experiments/plots/efficiency.gp DIR/plots svg efficiency     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("efficiency.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

most = 1           # workers
fair = 1           # of those not oversubscribed
over = 0           # the smallest N that is
top = 1.0
set datafile missing "?"
number(text) = text eq "" ? 0 : text + 0   # an empty cell is no number
stats data using (note_mode(strcol("mode")), n = column("workers"), \
    most = n > most ? n : most, \
    column("oversubscribed") == 1 ? (over = over == 0 || n < over ? n : over) \
                                  : (fair = n > fair ? n : fair), \
    top = column("efficiency") > top ? column("efficiency") : top, \
    top = number(strcol("efficiency_high")) > top ? number(strcol("efficiency_high")) : top, 0) \
    nooutput
set datafile missing NaN

plot_height = 430
load here."output.gp"
set xlabel "workers N"
set ylabel "efficiency, % of ideal"
set xrange [0.9:most + 0.15 * (most > 2 ? most / 2.0 : 1)]
set yrange [0:108 * top]
set xtics 1, most > 8 ? ceil(most / 8.0) : 1
set key bottom left noopaque Left reverse
if (over > 0) {
    set object 1 rectangle from (fair + over) / 2.0, graph 0 to graph 1, graph 1 behind \
        fillcolor rgb shade fillstyle solid noborder
    set label 1 "more workers than CPUs" at graph 0.985, graph 0.05 right font ",13" \
        textcolor rgb soft
}
# Modes stand a little apart, so that none hides another.
place(m) = sum [i = 1:words(modes)] (word(modes, i) eq m ? i : 0)
beside = 0.006 * most              # of a median's point, that of a run
x(m) = column("workers") + (place(m) - (words(modes) + 1) / 2.0) * 0.012 * most
is_median(nothing) = column("repetition") == 0
percent(mode, name) = strcol("mode") eq mode && is_median(0) && strcol(name) ne "" \
    ? 100 * column(name) : NaN
run_value(mode) = strcol("mode") eq mode && !is_median(0) ? 100 * column("efficiency") : NaN
fair_value(mode) = column("oversubscribed") == 0 ? percent(mode, "efficiency") : NaN
over_value(mode) = column("oversubscribed") == 1 ? percent(mode, "efficiency") : NaN
plot 100 with lines dashtype 2 linecolor rgb soft linewidth 1.5 title "ideal", \
     for [m in modes] data using (x(m)):(percent(m, "efficiency")) with lines \
         linecolor rgb color_of(m) linewidth 2 notitle, \
     for [m in modes] data using (x(m) + beside):(run_value(m)) with points pointtype 7 \
         pointsize 0.4 linecolor rgb color_of(m) notitle, \
     for [m in modes] data using (x(m)):(percent(m, "efficiency")): \
         (percent(m, "efficiency_low")):(percent(m, "efficiency_high")) \
         with yerrorbars pointtype 0 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(over_value(m)) with points pointtype 7 pointsize 1.2 \
         linecolor rgb "white" notitle, \
     for [m in modes] data using (x(m)):(over_value(m)) with points \
         pointtype point_of(m) - 1 pointsize 1.2 linecolor rgb color_of(m) linewidth 1.5 notitle, \
     for [m in modes] data using (x(m)):(fair_value(m)) with points \
         pointtype point_of(m) pointsize 1.2 linecolor rgb color_of(m) notitle, \
     for [m in modes] NaN with linespoints pointtype point_of(m) pointsize 1.2 linewidth 2 \
         linecolor rgb color_of(m) title m
