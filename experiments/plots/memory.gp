# Physical memory of all processes of a run, and what it holds: a stacked bar for each design and N.
#
# Reads memory.csv: mode, workers, oversubscribed (0 or 1), and in MB (1e6 bytes) total, parameters,
# gradients, optimizer, activations, data, rest (code, libraries, oneDNN's own buffers, stacks).
# By hand:  gnuplot -c experiments/plots/memory.gp DIR/plots svg memory     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("memory.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"
head = 60
load here."bars.gp"

parts = "data_mb activations_mb gradients_mb optimizer_mb parameters_mb rest_mb"
color_of_part(part) = part eq "data_mb" ? 0x999999 : part eq "activations_mb" ? 0x88CCEE : \
    part eq "gradients_mb" ? 0x882255 : part eq "optimizer_mb" ? 0xDDCC77 : \
    part eq "parameters_mb" ? 0x4477AA : 0xDDDDDD
title_of(part) = part eq "rest_mb" ? "libraries and the rest" : part[1:strlen(part)-3]
high = 0
set datafile missing "?"
stats data using (high = larger(high, column("total_mb")), 0) nooutput
set datafile missing NaN

set multiplot
from = labels
to = plot_width - 12
do for [b = 1:2] {
    if (words(bars[b]) == 0) { continue }
    eval frame
    eval named
    set xrange [0:high * 1.1]
    set xtics auto font ",13"
    set xlabel "MB" offset 0,0.3 font ",14"
    plot for [i = 1:words(parts)] data using (upto(parts, i)):(y(b)):(upto(parts, i - 1)): \
             (upto(parts, i)):(y(b) - 0.36):(y(b) + 0.36) with boxxyerror \
             fillcolor rgb color_of_part(word(parts, i)), \
         data using "total_mb":(y(b)):(sprintf("%.0f", column("total_mb"))) with labels left \
             offset 0.4,0 font ",13"
}
eval legend
plot for [part in parts] NaN with boxes fillcolor rgb color_of_part(part) title title_of(part)
unset multiplot
