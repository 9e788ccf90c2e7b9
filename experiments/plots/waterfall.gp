# The waterfall: from the ideal time, T(1) / N, down over what each cause adds or saves, to the
# measured time. One panel for each mode, all on one scale, which starts near the ideal time: bars
# of causes are to scale, those of the two totals are cut on the left.
#
# Reads waterfall.csv: mode, workers, place (order in the mode), part, kind (total, loss, gain),
# from_seconds, to_seconds.
# By hand:  gnuplot -c experiments/plots/waterfall.gp DIR/plots svg waterfall     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("waterfall.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

top = 0.0
low = 1e300
parts = 0
workers = ""       # of each mode
names = ""         # of the parts, as ytics take them
smaller(a, b) = a < b ? a : b
larger(a, b) = a > b ? a : b
set datafile missing "?"
stats data using (note_mode(strcol("mode")) ? \
        (workers = workers.sprintf(" %d", column("workers")), 0) : 0, \
    parts = larger(parts, column("place")), \
    names = strcol("mode") ne word(modes, 1) ? names : \
        names.sprintf("%s'%s' %d", names eq "" ? "" : ", ", strcol("part"), -column("place")), \
    top = larger(top, larger(column("from_seconds"), column("to_seconds"))), \
    low = smaller(low, strcol("kind") eq "total" ? column("to_seconds") : \
                       smaller(column("from_seconds"), column("to_seconds"))), 0) nooutput
set datafile missing NaN
span = larger(top - low, 1e-3 * top)
base = larger(0, low - 0.2 * span)

panel = 34.0 * (parts + 1) + 90
plot_height = panel * words(modes)
load here."output.gp"
set multiplot
set lmargin 17
set rmargin 2
set tmargin 2
set bmargin 3.6
set xrange [base:top + 0.2 * span]
set yrange [-parts - 0.6:0.6]
set xlabel "seconds" offset 0,0.4
unset key
unset grid
set grid xtics linecolor rgb 0xDDDDDD linewidth 0.6
eval "set ytics scale 0 (".names.")"
digits(v) = abs(v) >= 9.95 ? sprintf("%.1f", v) : abs(v) >= 0.0995 ? sprintf("%.2f", v) : \
            sprintf("%.3f", v)
signed(v) = (v >= 0 ? "+" : "−").digits(abs(v))
color(mode, kind) = kind eq "total" ? color_of(mode) : kind eq "loss" ? 0xCC3311 : 0x228833
mine(mode, v) = strcol("mode") eq mode ? v : NaN
do for [i = 1:words(modes)] {
    m = word(modes, i)
    set origin 0, (plot_height - i * panel) / plot_height
    set size 1, panel / plot_height
    set title sprintf("%s, N = %s", m, word(workers, i)) font ",16" offset 0,-0.5
    plot data using (mine(m, column("to_seconds"))):(-column("place")): \
             (strcol("kind") eq "total" ? base : smaller(column("from_seconds"), \
                                                         column("to_seconds"))): \
             (larger(column("from_seconds"), column("to_seconds"))): \
             (-column("place") - 0.36):(-column("place") + 0.36): \
             (color(m, strcol("kind"))) with boxxyerror fillcolor rgb variable, \
         data using (mine(m, larger(column("from_seconds"), column("to_seconds")))): \
             (-column("place")):(strcol("kind") eq "total" ? digits(column("to_seconds"))." s" : \
              signed(column("to_seconds") - column("from_seconds"))) \
             with labels left offset 0.6,0 font ",14"
}
unset multiplot
