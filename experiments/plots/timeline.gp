# The timeline of one step: for each rank a row of what it computes, phases with the layers of
# forward and backward in them, and below a row of what it exchanges.
#
# Reads timeline-<mode>.csv: rank, row (compute, exchange), category (on the compute row phase,
# forward, backward: the last two are layers; on the exchange row hand-over, hidden, exposed, wait),
# name, begin_ms, end_ms.
# By hand:  gnuplot -c experiments/plots/timeline.gp DIR/plots svg timeline-procs     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("timeline.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

ranks = 0
last = 0.0
larger(a, b) = a > b ? a : b
set datafile missing "?"
stats data using (ranks = larger(ranks, column("rank") + 1), \
    last = larger(last, column("end_ms")), 0) nooutput
set datafile missing NaN

plot_height = 130 + 130 * ranks
load here."output.gp"
is(category) = strcol("category") eq category
compute() = strcol("row") eq "compute"
# From the top: rank 0's compute row, its exchange row, rank 1's ...
y() = -2.3 * column("rank") - (compute() ? 0 : 1)
half() = compute() ? (is("phase") ? 0.44 : 0.28) : 0.34
phase_color(text) = text eq "load" ? load_color : text eq "forward" ? forward_color : \
    text eq "backward" ? backward_color : text eq "update" ? update_color : \
    text eq "exchange" ? 0xEBD6E1 : text eq "publish" ? publish_color : other_color
color() = is("phase") ? phase_color(strcol("name")) : is("forward") ? 0xBBE3F5 : \
    is("backward") ? 0x88AACC : is("hidden") ? hidden_color : is("exposed") ? transfer_color : \
    is("wait") ? wait_color : 0x222222
width() = column("end_ms") - column("begin_ms")
middle() = (column("end_ms") + column("begin_ms")) / 2
# As many letters as fit: a letter is about 7.5 of the 620 pixels of the axis.
fits(text) = width() / last * 620 > 7.5 * strlen(text) + 4
# "sum bucket 2" is 2 on the exchange row: its colour says the rest.
short() = compute() ? strcol("name") : is("wait") ? "wait" : \
    (strstrt(strcol("name"), "bucket ") > 0 ? strcol("name")[strstrt(strcol("name"), "bucket ") + 7:] \
                                            : strcol("name"))
label() = is("phase") && (strcol("name") eq "forward" || strcol("name") eq "backward") ? "" : \
    fits(short()) ? short() : ""
set border 1
set lmargin 11
set rmargin 1.5
set tmargin 4.6
set xrange [0:last]
set yrange [-2.3 * (ranks - 1) - 1.6:0.6]
unset ytics
ranks_text = ""
do for [r = 0:ranks - 1] {
    ranks_text = ranks_text.sprintf("%s'rank %d' %f, 'exchange' %f", r > 0 ? ", " : "", r, \
                                    -2.3 * r, -2.3 * r - 1)
}
eval "set ytics scale 0 font ',13' (".ranks_text.")"
unset grid
set grid xtics linecolor rgb 0xDDDDDD linewidth 0.6
set xlabel "ms"
set key outside top center horizontal Left reverse samplen 1.2 width 1 maxrows 3 font ",13"
box(shown) = shown ? middle() : NaN
plot for [deep = 0:1] data using (box(is("phase") == (deep == 0))):(y()):(column("begin_ms")): \
         (column("end_ms")):(y() - half()):(y() + half()):(color()) with boxxyerror \
         fillcolor rgb variable fillstyle solid 1.0 border linecolor rgb "white" linewidth 0.5 \
         notitle, \
     data using (middle()):(y()):(label()):(is("exposed") || \
         (is("phase") && strcol("name") eq "backward") ? 0xFFFFFF : 0x111111) with labels \
         font ",12" textcolor rgb variable notitle, \
     for [p in "load forward backward update"] NaN with boxes fillcolor rgb phase_color(p) \
         title p, \
     NaN with boxes fillcolor rgb hidden_color title "transfer, hidden", \
     NaN with boxes fillcolor rgb transfer_color title "transfer, exposed", \
     NaN with boxes fillcolor rgb wait_color title "wait", \
     NaN with boxes fillcolor rgb publish_color title "publish"
