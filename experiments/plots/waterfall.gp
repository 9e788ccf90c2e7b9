# The waterfall: from the ideal time, T(1) / N, over what each cause adds or saves, to the measured
# time. One panel for each mode, all on the same scale, which starts near the ideal time: bars of
# causes are to scale, the two totals are cut.
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
workers = 0
smaller(a, b) = a < b ? a : b
larger(a, b) = a > b ? a : b
set datafile missing "?"
stats data using (note_mode(strcol("mode")), workers = column("workers"), \
    parts = larger(parts, column("place")), \
    top = larger(top, larger(column("from_seconds"), column("to_seconds"))), \
    low = smaller(low, strcol("kind") eq "total" ? column("to_seconds") : \
                       smaller(column("from_seconds"), column("to_seconds"))), 0) nooutput
set datafile missing NaN
span = larger(top - low, 1e-3 * top)
base = larger(0, low - 0.25 * span)

plot_height = 60 + 330 * words(modes)
load here."output.gp"
set multiplot
set lmargin 10
set rmargin 2
set tmargin 2.2
set bmargin 4
set xrange [-0.6:parts + 0.6]
set yrange [base:top + 0.22 * span]
set ylabel "seconds" offset 0.5,0
unset key
set xtics scale 0 rotate by 28 right offset 1.2,0 font ",13"
two_digits(v) = abs(v) >= 9.95 ? sprintf("%+.1f", v) : abs(v) >= 0.0995 ? sprintf("%+.2f", v) : \
                sprintf("%+.3f", v)
do for [i = 1:words(modes)] {
    m = word(modes, i)
    set origin 0, 1 - i / (words(modes) + 0.0)
    set size 1, 1.0 / words(modes)
    set title sprintf("%s, N = %d", m, workers) font ",16" offset 0,-0.4
    mine(v) = strcol("mode") eq m ? v : NaN
    color(kind) = kind eq "total" ? color_of(m) : kind eq "loss" ? 0xCC3311 : 0x228833
    plot data using (mine(column("place"))):(column("from_seconds")): \
             (column("place") - 0.36):(column("place") + 0.36): \
             (strcol("kind") eq "total" ? base : smaller(column("from_seconds"), \
                                                         column("to_seconds"))): \
             (larger(column("from_seconds"), column("to_seconds"))): \
             (color(strcol("kind"))):xticlabels(strcol("part")) \
             with boxxyerror fillcolor rgb variable, \
         data using (mine(column("place"))): \
             (larger(column("from_seconds"), column("to_seconds"))): \
             (strcol("kind") eq "total" ? sprintf("%.2f", column("to_seconds")) : \
              two_digits(column("to_seconds") - column("from_seconds"))) \
             with labels offset 0,0.7 font ",13"
}
unset multiplot
