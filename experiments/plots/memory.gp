# Physical memory of all processes of a run, and what it holds: a stacked bar for each mode and N.
#
# Reads memory.csv: mode, workers, oversubscribed (0 or 1), and in MB (1e6 bytes) total, parameters,
# gradients, optimizer, activations, data, rest (code, libraries, oneDNN's own buffers, stacks).
# By hand:  gnuplot -c experiments/plots/memory.gp DIR/plots svg memory     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("memory.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

parts = "data_mb activations_mb gradients_mb optimizer_mb parameters_mb rest_mb"
color_of_part(part) = part eq "data_mb" ? 0x999999 : part eq "activations_mb" ? 0x88CCEE : \
    part eq "gradients_mb" ? 0x882255 : part eq "optimizer_mb" ? 0xDDCC77 : \
    part eq "parameters_mb" ? 0x4477AA : 0xDDDDDD
title_of(part) = part eq "rest_mb" ? "libraries and the rest" : part[1:strlen(part)-3]
upto(parts, last) = sum [i = 1:last] column(word(parts, i))
bars = 0
high = 0
any_over = 0
set datafile missing "?"
stats data using (bars = bars + 1, any_over = any_over + column("oversubscribed"), \
    high = column("total_mb") > high ? column("total_mb") : high, 0) nooutput
set datafile missing NaN

plot_height = 520
load here."output.gp"
set xrange [-0.6:bars - 0.4]
set yrange [0:high * 1.08]
small = bars > 8 ? ",10" : ",14"
set xtics scale 0 font small
set ylabel "MB" offset 1,0
set bmargin any_over > 0 ? 4.6 : 3.4
if (any_over > 0) {
    set label 1 "* more workers than CPUs" at screen 0.99, screen 0.03 right font ",13" \
        textcolor rgb soft
}
label_of(n, over) = sprintf("%d%s", n, over == 1 ? "*" : "")
set key outside top center horizontal Left reverse samplen 1.2 width 2 maxrows 3 font ",13"
plot for [i = words(parts):1:-1] data using ($0):(upto(parts, i)):(0.7): \
         xticlabels(strcol("mode")."\n".label_of(column("workers"), column("oversubscribed"))) \
         with boxes fillcolor rgb color_of_part(word(parts, i)) notitle, \
     data using ($0):"total_mb":(sprintf("%.0f", column("total_mb"))) with labels \
         offset 0,0.6 font ",13" notitle, \
     for [part in parts] NaN with boxes fillcolor rgb color_of_part(part) title title_of(part)
