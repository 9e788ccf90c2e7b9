# All-reduce alone: time and bus bandwidth against the size of the gradients, a line for each
# reduction in the colour of its design. Points stand a little apart, so that none hides another's
# interval. Bus bandwidth is bytes / time * 2 (N-1) / N, as
# nccl-tests defines it: what each worker must send and receive at least.
#
# Reads allreduce.csv: mode, reduction, design, workers, oversubscribed (0 or 1), bytes, time_us,
# time_low_us, time_high_us, busbw_gb_per_s.
# By hand:  gnuplot -c experiments/plots/allreduce.gp DIR/plots svg allreduce     (or png)

# `load` resets the arguments.
here = ARG0[1:strlen(ARG0)-strlen("allreduce.gp")]; folder = ARG1; format = ARG2; name = ARG3
load here."style.gp"

lines = ""         # "mode/reduction" of each line
designs = ""       # of each
workers = 0
over = 0
set datafile missing "?"
stats data using (workers = column("workers"), over = over + column("oversubscribed"), \
    text = strcol("mode")."/".strcol("reduction"), \
    strstrt(" ".lines." ", " ".text." ") ? 0 : \
        (lines = lines." ".text, designs = designs." ".strcol("design"), 0)) nooutput
set datafile missing NaN
mode_of(text) = text[1:strstrt(text, "/") - 1]
reduction_of(text) = text[strstrt(text, "/") + 1:strlen(text)]
# Dash and point tell the reductions of a mode apart, by their place among them.
index_of(l) = sum [k = 1:words(lines)] (word(lines, k) eq l ? k : 0)
order_of(l) = sum [k = 1:index_of(l) - 1] (mode_of(word(lines, k)) eq mode_of(l) ? 1 : 0)
dash_of(l) = 1 + int(order_of(l)) % 5
kind_of(l) = int(word("7 5 9 11 13 15", 1 + int(order_of(l)) % 6))
# What is oversubscribed has hollow points.
point(l) = over > 0 ? kind_of(l) - 1 : kind_of(l)
look(l) = color_of(word(designs, index_of(l)))
x(l) = of_line(l) ? column("bytes") * 2 ** (0.9 * (index_of(l) - (words(lines) + 1) / 2.0) / \
                                            words(lines)) : NaN
key_rows = (words(lines) + 2) / 3
of_line(text) = strcol("mode")."/".strcol("reduction") eq text

plot_height = 820
load here."output.gp"
set multiplot
set lmargin 10
set rmargin 2
set logscale x 2
set logscale y
set xtics ("4 KiB" 2**12, "64 KiB" 2**16, "1 MiB" 2**20, "16 MiB" 2**24, "256 MiB" 2**28)
set grid xtics ytics linecolor rgb 0xDDDDDD linewidth 0.6
set xrange [*:*] noextend
set offsets graph 0.03, graph 0.03, 0, 0
set origin 0, 0.46
set size 1, 0.54
set tmargin key_rows + 1
set bmargin 2.2
set ytics ("1 µs" 1, "10 µs" 10, "100 µs" 100, "1 ms" 1e3, "10 ms" 1e4, "100 ms" 1e5, "1 s" 1e6)
set ylabel "time" offset 0.5,0
set key outside top center horizontal Left reverse maxrows key_rows width 1 samplen 3 font ",13"
plot for [l in lines] data using (x(l)):"time_us":"time_low_us":"time_high_us" with yerrorbars \
         pointtype 0 linecolor rgb look(l) \
         linewidth 1 notitle, \
     for [l in lines] data using (x(l)):"time_us" with linespoints \
         dashtype dash_of(l) pointtype point(l) pointsize 1 \
         linecolor rgb look(l) linewidth 1.6 \
         title mode_of(l).", ".reduction_of(l)
set origin 0, 0
set size 1, 0.46
set tmargin 0.8
set bmargin 3.4
unset key
unset logscale y
set ytics autofreq
set yrange [0:*]
set ylabel "bus bandwidth, GB/s" offset 0.5,0
set xlabel sprintf("bytes of gradients, N = %d%s", workers, \
                   over > 0 ? " (more workers than CPUs)" : "")
plot for [l in lines] data using (x(l)):"busbw_gb_per_s" with linespoints dashtype dash_of(l) pointtype point(l) \
         pointsize 1 linecolor rgb look(l) linewidth 1.6
unset multiplot
