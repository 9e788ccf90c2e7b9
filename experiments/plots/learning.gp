# Learning curves: training loss and test accuracy, on the left against epochs, on the right against
# seconds of training. A line for each design and N: colour tells the design, dash and point the N.
# Modes that end with equal parameters have the same curve against epochs: the one drawn last shows.
#
# Reads learning.csv: mode, workers, oversubscribed (0 or 1), epoch, seconds (of training, since its
# start), train_loss, test_loss, test_accuracy_percent.
# By hand:  gnuplot -c experiments/plots/learning.gp DIR/plots svg learning     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("learning.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

counts = ""        # the different N
epochs = 0
over = ""          # those N that are oversubscribed
set datafile missing "?"
stats data using (note_mode(strcol("mode")), text = sprintf("%d", column("workers")), \
    counts = strstrt(" ".counts." ", " ".text." ") ? counts : counts." ".text, \
    column("oversubscribed") == 1 && !strstrt(" ".over." ", " ".text." ") ? \
        (over = over." ".text, 0) : 0, \
    epochs = column("epoch") > epochs ? column("epoch") : epochs, 0) nooutput
set datafile missing NaN
place(list, item) = (at = 1, sum [i = 1:words(list)] (word(list, i) eq item ? (at = i, 0) : 0), at)
kinds = "7 5 9 11 13 15"
point(n) = int(word(kinds, (place(counts, n) - 1) % 6 + 1)) - \
           (strstrt(" ".over." ", " ".n." ") ? 1 : 0)
mine(m, n, v) = strcol("mode") eq m && column("workers") == n + 0 ? v : NaN

plot_height = 820
load here."output.gp"
set multiplot
set lmargin 9
set rmargin 2.2
set grid xtics ytics linecolor rgb 0xDDDDDD linewidth 0.6
unset key
do for [panel = 1:4] {
    by_epoch = panel % 2
    accuracy = panel > 2
    set origin by_epoch ? 0 : 0.5, accuracy ? 0 : 0.445
    set size 0.5, accuracy ? 0.455 : 0.455
    set xlabel accuracy ? (by_epoch ? "epochs" : "seconds of training") : ""
    set ylabel by_epoch ? (accuracy ? "test accuracy, %" : "training loss") : "" offset 1,0
    if (by_epoch) {
        set xrange [0.9:epochs + 0.1]
        set xtics 1, ceil(epochs / 8.0)
    } else {
        set xrange [0:*]
        set xtics autofreq
    }
    what = accuracy ? "test_accuracy_percent" : "train_loss"
    plot for [n in counts] for [m in modes] data using \
             (mine(m, n, by_epoch ? column("epoch") : column("seconds"))):(column(what)) \
             with linespoints dashtype place(counts, n) pointtype point(n) pointsize 1.1 \
             linecolor rgb color_of(m) linewidth 1.6
}
# The legend, once for all panels.
unset xlabel
unset ylabel
unset tics
unset border
unset grid
set origin 0,0
set size 1,1
set margins screen 0, screen 1, screen 0, screen 1
set xrange [0:1]
set yrange [0:1]
set key at screen 0.5, screen 0.99 center top horizontal Left reverse samplen 3 width 1 \
    maxrows 3 font ",13"
plot for [m in modes] NaN with lines linewidth 3 linecolor rgb color_of(m) title m, \
     for [n in counts] NaN with linespoints dashtype place(counts, n) pointtype point(n) \
         pointsize 1.1 linewidth 1.6 linecolor rgb soft \
         title "N = ".n.(strstrt(" ".over." ", " ".n." ") ? " (> CPUs)" : "")
unset multiplot
