# Metrics of one worker and of the most that are not oversubscribed, side by side: a panel for each
# metric, in it a group of bars for each N, a bar for each mode.
#
# Reads metrics.csv: mode, workers, images_per_second, total_seconds (training on the same images
# whatever N), computing_seconds and communication_seconds (of it), iteration_ms (a training step), exchange_ms
# (of it, waiting and what is hidden included), exchange_share_percent, cpu_share_percent (time on
# a CPU over wall time), start_up_seconds (until the first step).
# By hand:  gnuplot -c experiments/plots/metrics.gp DIR/plots svg metrics     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("metrics.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

counts = ""        # the different N
set datafile missing "?"
stats data using (note_mode(strcol("mode")), text = sprintf("%d", column("workers")), \
    counts = strstrt(" ".counts." ", " ".text." ") ? counts : counts." ".text, 0) nooutput
set datafile missing NaN
place(list, item) = (at = NaN, \
    sum [i = 1:words(list)] (word(list, i) eq item ? (at = i, 0) : 0), at)

plot_height = 1100
load here."output.gp"
columns = "total_seconds images_per_second computing_seconds communication_seconds \
iteration_ms exchange_share_percent cpu_share_percent start_up_seconds"
array titles[8] = ["training, s", "images/s", "of it computing, s", "of it communication, s", \
                   "step, ms", "exchange, % of a step", "on a CPU, % of time", "start-up, s"]
number(v) = v >= 9999.5 ? sprintf("%.1fk", v / 1000) : v >= 99.95 ? sprintf("%.0f", v) : \
            v >= 9.995 ? sprintf("%.1f", v) : v == 0 ? "0" : \
            v < 0.095 ? sprintf("%.3f", v) : sprintf("%.2f", v)
width = 1.0 / (words(modes) + 0.35)
x(mode) = place(counts, sprintf("%d", column("workers"))) + \
          (place(modes, mode) - (words(modes) + 1) / 2.0) * width
set xrange [0.45:words(counts) + 0.55]
set format y ""
unset ytics
unset grid
set border 1
set boxwidth width * 0.92
unset xtics
places = ""
do for [i = 1:words(counts)] {
    places = places.(i > 1 ? ", " : "").sprintf("'N = %s' %d", word(counts, i), i)
}
eval "set xtics scale 0 (".places.")"
unset key
set multiplot layout 4,2 margins 0.02,0.98,0.03,0.925 spacing 0.05,0.075
do for [p = 1:8] {
    column_name = word(columns, p)
    high = 0
    set datafile missing "?"
    set autoscale
    stats data using (high = column(column_name) > high ? column(column_name) : high, 0) nooutput
    set datafile missing NaN
    set xrange [0.45:words(counts) + 0.55]
    set yrange [0:high > 0 ? high * 1.18 : 1]
    set title titles[p] offset 0,-0.3 font ",15"
    plot for [m in modes] data using (strcol("mode") eq m ? x(m) : NaN):(column(column_name)) \
             with boxes fillcolor rgb color_of(m) notitle, \
         for [m in modes] data using (strcol("mode") eq m ? x(m) : NaN):(column(column_name)): \
             (number(column(column_name))) with labels offset 0,0.6 font ",12" notitle
}
# The legend, once for all panels.
unset title
unset xtics
unset border
set origin 0,0
set size 1,1
set margins screen 0, screen 1, screen 0, screen 1
set xrange [0:1]
set yrange [0:1]
set key at screen 0.5, screen 0.985 center top horizontal Left reverse samplen 1.5 width 2
plot for [m in modes] NaN with boxes fillcolor rgb color_of(m) title m
unset multiplot
