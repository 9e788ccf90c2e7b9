# Seconds of training, split in computing and communication, each value on its bar: of the same
# images whatever N, so that bars get shorter where workers help.
#
# Reads seconds.csv: mode, workers, oversubscribed (0 or 1), computing_seconds,
# communication_seconds (exchange and waiting).
# By hand:  gnuplot -c experiments/plots/seconds.gp DIR/plots svg seconds     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("seconds.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"
head = 34
load here."bars.gp"

parts = "computing_seconds communication_seconds"
color_of_part(part) = part eq "computing_seconds" ? backward_color : wait_color
high = 0
set datafile missing "?"
stats data using (high = larger(high, upto(parts, 2)), 0) nooutput
set datafile missing NaN

set multiplot
from = labels
to = plot_width - 12
do for [b = 1:2] {
    if (words(bars[b]) == 0) { continue }
    eval frame
    eval named
    set xrange [0:high * 1.42]
    set xtics auto font ",13"
    set xlabel "seconds" offset 0,0.3 font ",14"
    plot for [i = 1:2] data using (upto(parts, i)):(y(b)):(upto(parts, i - 1)): \
             (upto(parts, i)):(y(b) - 0.36):(y(b) + 0.36) with boxxyerror \
             fillcolor rgb color_of_part(word(parts, i)), \
         data using (0):(y(b)):(digits(column("computing_seconds"))) with labels left \
             offset 0.6,0 font ",13" textcolor rgb "white", \
         data using (upto(parts, 2)):(y(b)):(sprintf("+ %s = %s", \
             digits(column("communication_seconds")), digits(upto(parts, 2)))) with labels left \
             offset 0.4,0 font ",13"
}
eval legend
plot for [part in parts] NaN with boxes fillcolor rgb color_of_part(part) \
    title part[1:strlen(part)-8]
unset multiplot
