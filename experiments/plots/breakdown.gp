# Where a training step's time goes: for each design and N a stacked bar of all of it, and beside it
# one of the exchange alone on a scale of its own, since that may be too thin to see in the whole.
#
# Reads breakdown.csv: mode, workers, oversubscribed (0 or 1), and in milliseconds a step load,
# forward, backward (without hidden transfer), update, other; transfer_exposed and transfer_hidden
# (after backward, and between its layers), wait (for other workers), publish (until all updated).
# By hand:  gnuplot -c experiments/plots/breakdown.gp DIR/plots svg breakdown     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("breakdown.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"
head = 70
load here."bars.gp"

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

set multiplot
do for [b = 1:2] {
    if (words(bars[b]) == 0) { continue }
    do for [panel = 1:2] {
        parts = panel == 1 ? all : exchange
        high = 1e-9
        set datafile missing "?"
        set autoscale
        stats data using (high = place_in(b) > 0 ? larger(high, upto(parts, words(parts))) : high, \
            0) nooutput
        set datafile missing NaN
        from = panel == 1 ? labels : labels + 0.56 * (plot_width - labels)
        to = panel == 1 ? labels + 0.5 * (plot_width - labels) : plot_width - 12
        eval frame
        if (panel == 1) { eval named } else { unset ytics; unset label }
        set xrange [0:high * 1.22]
        set xtics auto font ",13"
        set xlabel panel == 1 ? "ms a step" : "exchange alone, ms a step" offset 0,0.3 \
            font ",14"
        plot for [i = 1:words(parts)] data using (upto(parts, i)):(y(b)):(upto(parts, i - 1)): \
                 (upto(parts, i)):(y(b) - 0.36):(y(b) + 0.36) with boxxyerror \
                 fillcolor rgb color_of_part(word(parts, i)), \
             data using (upto(parts, words(parts))):(y(b)):(digits(upto(parts, words(parts)))) \
                 with labels left offset 0.4,0 font ",13"
    }
}
eval legend
plot for [part in all] NaN with boxes fillcolor rgb color_of_part(part) title title_of(part)
unset multiplot
