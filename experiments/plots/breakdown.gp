# Where a training step's time goes: a stacked bar for each mode and N with all of it, and below the
# exchange alone on a scale of its own, since it may be too thin to see in the whole.
#
# Reads breakdown.csv: mode, workers, oversubscribed (0 or 1), and in milliseconds a step load,
# forward, backward (without hidden transfer), update, other; transfer_exposed and transfer_hidden
# (after backward, and between its layers), wait (for other workers), publish (until all updated).
# By hand:  gnuplot -c experiments/plots/breakdown.gp DIR/plots svg breakdown     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("breakdown.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

all = "load_ms forward_ms backward_ms update_ms other_ms \
transfer_hidden_ms transfer_exposed_ms wait_ms publish_ms"
exchange = "transfer_hidden_ms transfer_exposed_ms wait_ms publish_ms"
color_of_part(part) = part eq "load_ms" ? load_color : part eq "forward_ms" ? forward_color : \
    part eq "backward_ms" ? backward_color : part eq "update_ms" ? update_color : \
    part eq "transfer_hidden_ms" ? hidden_color : part eq "transfer_exposed_ms" ? transfer_color : \
    part eq "wait_ms" ? wait_color : part eq "publish_ms" ? publish_color : other_color
title_of(part) = part eq "transfer_hidden_ms" ? "transfer, hidden" : \
    part eq "transfer_exposed_ms" ? "transfer, exposed" : part eq "wait_ms" ? "wait" : \
    part eq "publish_ms" ? "wait to publish" : part[1:strlen(part)-3]
# The sum of the first `last` parts of `parts` in a row.
upto(parts, last) = last < 1 ? 0 : sum [i = 1:last] column(word(parts, i))
label_of(n, over) = sprintf("%d%s", n, over == 1 ? "*" : "")

bars = 0
any_over = 0
array high[2]
high[1] = high[2] = 1e-9
larger(a, b) = a > b ? a : b
set datafile missing "?"
stats data using (bars = bars + 1, any_over = any_over + column("oversubscribed"), \
    high[1] = larger(high[1], upto(all, words(all))), \
    high[2] = larger(high[2], upto(exchange, words(exchange))), 0) nooutput
set datafile missing NaN

plot_height = 800
load here."output.gp"
set xrange [-0.6:bars - 0.4]
unset xtics
small = bars > 8 ? ",12" : ",14"
set xtics scale 0 font small
set lmargin 8
set rmargin 1
set ylabel "ms a step" offset 1,0
set multiplot
do for [panel = 1:2] {
    parts = panel == 1 ? all : exchange
    set origin 0, panel == 1 ? 0.42 : 0
    set size 1, panel == 1 ? 0.58 : 0.42
    set tmargin panel == 1 ? 6 : 2
    set bmargin panel == 1 || any_over == 0 ? 3 : 4
    set yrange [0:high[panel] * 1.05]
    if (panel == 1) {
        set key outside top center horizontal Left reverse samplen 1.2 width 2 maxrows 3 font ",13"
    } else {
        unset key
        set title "the exchange alone" offset 0,-0.5
        if (any_over > 0) {
            set label 1 "* grey: more workers than CPUs" at screen 0.99, screen 0.015 right \
                font ",13" textcolor rgb soft
        }
    }
    plot data using ($0):(column("oversubscribed") == 1 ? high[panel] * 1.05 : 0):(1.0) \
             with boxes fillcolor rgb shade notitle, \
         for [i = words(parts):1:-1] data using ($0):(upto(parts, i)):(0.7): \
             xticlabels(strcol("mode")."\n".label_of(column("workers"), column("oversubscribed"))) \
             with boxes fillcolor rgb color_of_part(word(parts, i)) notitle, \
         for [part in parts] NaN with boxes fillcolor rgb color_of_part(part) title title_of(part)
}
unset multiplot
