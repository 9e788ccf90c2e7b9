# The waterfall: from the ideal time, T(1) / N, down over what each cause adds or saves, to the
# measured time, as seconds beyond the ideal one: so nothing is cut, and causes are to scale. One
# panel for each design, all on one scale.
#
# Reads waterfall.csv: mode, workers, place (order in the mode), part, kind (total, loss, gain),
# from_seconds, to_seconds, low_seconds and high_seconds (what the part adds at least and at most by
# its interval, may be empty).
# By hand:  gnuplot -c experiments/plots/waterfall.gp DIR/plots svg waterfall     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("waterfall.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

parts = 0
workers = ""       # of each mode
ideals = ""        # its seconds
names = ""         # of the parts, as ytics take them
smaller(a, b) = a < b ? a : b
larger(a, b) = a > b ? a : b
set datafile missing "?"
stats data using (note_mode(strcol("mode")) ? \
        (workers = workers.sprintf(" %d", column("workers")), \
         ideals = ideals.sprintf(" %.9g", column("to_seconds")), 0) : 0, \
    parts = larger(parts, column("place")), \
    names = strcol("mode") ne word(modes, 1) ? names : \
        names.sprintf("%s'%s' %d", names eq "" ? "" : ", ", strcol("part"), -column("place")), 0) \
    nooutput
place(m) = sum [i = 1:words(modes)] (word(modes, i) eq m ? i : 0)
ideal(_) = word(ideals, place(strcol("mode"))) + 0
is_total(_) = strcol("kind") eq "total"
from(_) = is_total(0) ? 0 : column("from_seconds") - ideal(0)
to(_) = column("to_seconds") - ideal(0)
bound(name, other) = strcol(name) eq "" ? other : from(0) + column(name)
top = low = 0.0
stats data using (top = larger(top, larger(to(0), bound("high_seconds", 0))), \
    low = smaller(low, smaller(to(0), bound("low_seconds", 0))), 0) nooutput
set datafile missing NaN
span = larger(top - low, 1e-9)

panel = 34.0 * (parts + 1) + 96
plot_height = panel * words(modes)
load here."output.gp"
set multiplot
set lmargin 17
set rmargin 2
set tmargin 2
set bmargin 3.6
set xrange [low - 0.03 * span:top + 0.34 * span]
set yrange [-parts - 0.6:0.6]
set xlabel "seconds beyond the ideal time" offset 0,0.4
unset key
set border 1
unset grid
set grid xtics linecolor rgb 0xDDDDDD linewidth 0.6
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor rgb soft linewidth 1
eval "set ytics scale 0 (".names.")"
digits(v) = abs(v) >= 9.95 ? sprintf("%.1f", v) : abs(v) >= 0.0995 ? sprintf("%.2f", v) : \
            sprintf("%.3f", v)
signed(v) = (v >= 0 ? "+" : "−").digits(abs(v))
text(_) = column("place") == 0 ? digits(column("to_seconds"))." s" : \
          is_total(0) ? digits(column("to_seconds"))." s, ".signed(to(0)) : signed(to(0) - from(0))
color(mode, kind) = kind eq "total" ? color_of(mode) : kind eq "loss" ? 0xCC3311 : 0x228833
mine(mode, v) = strcol("mode") eq mode ? v : NaN
mine_if(mode, name) = strcol(name) eq "" ? NaN : mine(mode, from(0) + column(name))
do for [i = 1:words(modes)] {
    m = word(modes, i)
    set origin 0, (plot_height - i * panel) / plot_height
    set size 1, panel / plot_height
    set title sprintf("%s, N = %s", m, word(workers, i)) font ",16" offset 0,-0.5
    plot data using (mine(m, to(0))):(-column("place")):(smaller(from(0), to(0))): \
             (larger(from(0), to(0))):(-column("place") - 0.34):(-column("place") + 0.34): \
             (color(m, strcol("kind"))) with boxxyerror fillcolor rgb variable, \
         data using (mine(m, to(0))):(-column("place")):(mine_if(m, "low_seconds")): \
             (mine_if(m, "high_seconds")) with xerrorbars pointtype 0 linecolor rgb 0x222222 \
             linewidth 1.2, \
         data using (mine(m, larger(larger(from(0), to(0)), bound("high_seconds", -1e300)))): \
             (-column("place")):(text(0)) with labels left offset 0.7,0 font ",14"
}
unset multiplot
