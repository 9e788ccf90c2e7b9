# The timeline of one step: for each rank a row of what it computes, phases with the layers of
# forward and backward in them, and below a row of what it exchanges.
#
# Reads timeline-<design>.csv: rank, row (compute, exchange), category (on the compute row phase,
# forward, backward: the last two are layers; on the exchange row hand-over, hidden, exposed, wait),
# name, begin_ms, end_ms. A number above the exchange row is that of the bucket at work.
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

plot_height = 180 + 145 * ranks
load here."output.gp"
# A function has to have an argument: _ is one that is not used.
is(category) = strcol("category") eq category
compute(_) = strcol("row") eq "compute"
# From the top: rank 0's compute row, its exchange row, rank 1's ...
y(_) = -2.5 * column("rank") - (compute(0) ? 0 : 1.17)
half(_) = compute(0) ? (is("phase") ? 0.44 : 0.28) : 0.34
phase_color(text) = text eq "load" ? load_color : text eq "forward" ? forward_color : \
    text eq "backward" ? backward_color : text eq "update" ? update_color : \
    text eq "exchange" ? 0xEBD6E1 : text eq "publish" ? publish_color : other_color
color(_) = is("phase") ? phase_color(strcol("name")) : is("forward") ? 0xBBE3F5 : \
    is("backward") ? 0x88AACC : is("hidden") ? hidden_color : is("exposed") ? transfer_color : \
    is("wait") ? wait_color : 0x222222
width(_) = column("end_ms") - column("begin_ms")
middle(_) = (column("end_ms") + column("begin_ms")) / 2
# As many letters as fit: a letter is about 8.5 of the 620 pixels of the axis.
fits(text) = width(0) / last * 620 > 8.5 * strlen(text) + 5
# "sum bucket 2" is 2 on the exchange row: its colour says the rest.
after_bucket(text) = text[strstrt(text, "bucket ") + 7:strlen(text)]
short(_) = compute(0) ? strcol("name") : is("wait") ? "wait" : \
    strstrt(strcol("name"), "bucket ") > 0 ? after_bucket(strcol("name")) : strcol("name")
label(_) = is("phase") && (strcol("name") eq "forward" || strcol("name") eq "backward") ? "" : \
    fits(short(0)) ? short(0) : ""
set border 1
set lmargin 11
set rmargin 1.5
set tmargin 6.2
set xrange [0:last]
set yrange [-2.5 * (ranks - 1) - 1.7:0.6]
unset ytics
ranks_text = ""
do for [r = 0:ranks - 1] {
    ranks_text = ranks_text.sprintf("%s'rank %d' %f, 'exchange' %f", r > 0 ? ", " : "", r, \
                                    -2.5 * r, -2.5 * r - 1.17)
}
eval "set ytics scale 0 font ',13' (".ranks_text.")"
unset grid
set grid xtics linecolor rgb 0xDDDDDD linewidth 0.6
set xlabel "ms"
set key outside top center horizontal Left reverse samplen 1.2 width 1 maxrows 3 font ",13"
box(shown) = shown ? middle(0) : NaN
# The number of a bucket above its work, where there is room beside the one before it.
bucket(_) = strcol("row") eq "exchange" && (is("hidden") || is("exposed"))
before = -1e9
number(_) = bucket(0) && (middle(0) - before > 0.018 * last || middle(0) < before) ? \
    (before = middle(0), short(0)) : ""
plot for [deep = 0:1] data using (box(compute(0) && is("phase") == (deep == 0))):(y(0)): \
         (column("begin_ms")):(column("end_ms")):(y(0) - half(0)):(y(0) + half(0)):(color(0)) \
         with boxxyerror fillcolor rgb variable fillstyle solid 1.0 border linecolor rgb "white" \
         linewidth 0.5 notitle, \
     data using (box(!compute(0))):(y(0)):(column("begin_ms")):(column("end_ms")): \
         (y(0) - half(0)):(y(0) + half(0)):(color(0)) with boxxyerror fillcolor rgb variable \
         fillstyle solid 1.0 border linewidth 0.8 notitle, \
     data using (middle(0)):(y(0)):(bucket(0) ? "" : label(0)): \
         (is("phase") && strcol("name") eq "backward" ? 0xFFFFFF : 0x111111) with labels \
         font ",12" textcolor rgb variable notitle, \
     for [r = 0:ranks - 1] data using (column("rank") == r ? middle(0) : NaN):(y(0) + 0.51): \
         (number(0)) with labels font ",11" notitle, \
     for [p in "load forward backward update publish"] NaN with boxes \
         fillcolor rgb phase_color(p) title p, \
     NaN with boxes fillcolor rgb phase_color("exchange") title "in the exchange", \
     NaN with boxes fillcolor rgb hidden_color title "transfer, hidden", \
     NaN with boxes fillcolor rgb transfer_color title "transfer, exposed", \
     NaN with boxes fillcolor rgb wait_color title "wait"
