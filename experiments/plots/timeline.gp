# The timeline of one step: for each rank a row of what it computes, phases with the layers of
# forward and backward in them, and below a row of what it exchanges. The lower panel enlarges what
# follows backward, where an exchange may be too thin to see in the whole step.
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
tail = 1e300       # the first end of backward
larger(a, b) = a > b ? a : b
# A function has to have an argument: _ is one that is not used.
is(category) = strcol("category") eq category
is_backward(_) = is("phase") && strcol("name") eq "backward"
set datafile missing "?"
stats data using (ranks = larger(ranks, column("rank") + 1), \
    tail = is_backward(0) && column("end_ms") < tail ? column("end_ms") : tail, \
    last = larger(last, column("end_ms")), 0) nooutput
set datafile missing NaN
# Only what is thin is enlarged.
enlarged = tail < last && last - tail < 0.25 * last

whole_height = 195 + 125 * ranks
tail_height = enlarged ? 90 + 125 * ranks : 0
plot_height = whole_height + tail_height
load here."output.gp"
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
middle(_) = (larger(column("begin_ms"), begin) + column("end_ms")) / 2
# As many letters as fit: a letter is about 8.5 of the 600 pixels of the axis.
width(_) = column("end_ms") - larger(column("begin_ms"), begin)
fits(text) = width(0) / (end - begin) * 600 > 8.5 * strlen(text) + 5
# "sum bucket 2" is 2 on the exchange row: its colour says the rest.
after_bucket(text) = text[strstrt(text, "bucket ") + 7:strlen(text)]
short(_) = compute(0) ? strcol("name") : is("wait") ? "wait" : \
    strstrt(strcol("name"), "bucket ") > 0 ? after_bucket(strcol("name")) : strcol("name")
has_layers(_) = is("phase") && (strcol("name") eq "forward" || strcol("name") eq "backward")
label(_) = has_layers(0) ? "" : fits(short(0)) ? short(0) : ""
bucket(_) = strcol("row") eq "exchange" && (is("hidden") || is("exposed"))
# The number of a bucket above its work, where there is room beside the one before it.
number(r) = column("rank") == r && bucket(0) && column("end_ms") > begin && \
    (middle(0) - before > 0.018 * (end - begin) || middle(0) < before) ? \
    (before = middle(0), short(0)) : ""
shown(v) = column("end_ms") > begin ? v : NaN
box(condition) = condition ? shown(middle(0)) : NaN

ranks_text = ""
do for [r = 0:ranks - 1] {
    ranks_text = ranks_text.sprintf("%s'rank %d' %f, 'bucket' %f, 'exchange' %f", \
        r > 0 ? ", " : "", r, -2.5 * r, -2.5 * r - 0.66, -2.5 * r - 1.17)
}
set multiplot
set border 1
set lmargin 11
set rmargin 3
set bmargin 3.4
set yrange [-2.5 * (ranks - 1) - 1.7:0.7]
unset ytics
eval "set ytics scale 0 font ',13' (".ranks_text.")"
unset grid
set grid xtics linecolor rgb 0xDDDDDD linewidth 0.6
set key outside top center horizontal Left reverse samplen 1.2 width -2 maxrows 3 font ",13"
do for [panel = 1:(enlarged ? 2 : 1)] {
    begin = panel == 1 ? 0 : tail - 0.06 * (last - tail)
    end = last
    before = -1e9
    set xrange [begin:end]
    set origin 0, panel == 1 ? 1.0 * tail_height / plot_height : 0
    set size 1, 1.0 * (panel == 1 ? whole_height : tail_height) / plot_height
    set tmargin panel == 1 ? 6.4 : 2
    set xlabel "ms" offset 0,0.4
    if (panel == 2) { unset key; set title "what follows backward, enlarged" offset 0,-0.4 }
    plot for [deep = 0:1] data using (box(compute(0) && is("phase") == (deep == 0))):(y(0)): \
             (larger(column("begin_ms"), begin)):(column("end_ms")): \
             (y(0) - half(0)):(y(0) + half(0)):(color(0)) with boxxyerror \
             fillcolor rgb variable fillstyle solid 1.0 border linecolor rgb "white" \
             linewidth 0.5 notitle, \
         data using (box(!compute(0))):(y(0)):(larger(column("begin_ms"), begin)): \
             (column("end_ms")):(y(0) - half(0)):(y(0) + half(0)):(color(0)) with boxxyerror \
             fillcolor rgb variable fillstyle solid 1.0 border linewidth 0.8 notitle, \
         data using (shown(middle(0))):(y(0)):(bucket(0) ? "" : label(0)): \
             (is_backward(0) ? 0xFFFFFF : 0x111111) with labels \
             font ",12" textcolor rgb variable notitle, \
         for [r = 0:ranks - 1] data using (column("rank") == r ? shown(middle(0)) : NaN): \
             (y(0) + 0.51):(number(r)) with labels font ",11" notitle, \
         for [p in "load forward backward update publish"] NaN with boxes \
             fillcolor rgb phase_color(p) title p, \
         NaN with boxes fillcolor rgb phase_color("exchange") title "in the exchange", \
         NaN with boxes fillcolor rgb hidden_color title "transfer, hidden", \
         NaN with boxes fillcolor rgb transfer_color title "transfer, exposed", \
         NaN with boxes fillcolor rgb wait_color title "wait"
}
unset multiplot
