# The axis of workers that speedup.gp and efficiency.gp share, loaded after style.gp. It is to scale
# as far as each worker has a CPU; what is oversubscribed stands behind a break, in less room, for it
# shows behaviour and not scaling. Where a point stands says at(N).

counts = ""        # the different N, rising
over = 0           # the smallest N that is oversubscribed
set datafile missing "?"
stats data using (note_mode(strcol("mode")), n = column("workers"), text = sprintf("%d", n), \
    counts = strstrt(" ".counts." ", " ".text." ") ? counts : counts." ".text, \
    over = column("oversubscribed") == 1 && (over == 0 || n < over) ? n : over, 0) nooutput
set datafile missing NaN
most = word(counts, words(counts)) + 0
fair = 1           # the largest N that is not
do for [c in counts] { if (over == 0 || c < over) { fair = c + 0 } }
scale = fair > 1 ? fair - 1.0 : 1.0
break_at = fair + 0.14 * scale
begin = over > 0 ? fair + 0.3 * scale : fair   # of what is oversubscribed
end = begin + (over > 0 && most > over ? 0.55 * scale : 0)
at(n) = over == 0 || n < over ? n : most > over ? begin + (end - begin) * (n - over) / (most - over) \
                                                : begin
left = 1 - 0.1 * (end - 1 + 0.3 * scale)
right = end + 0.12 * (end - 1 + 0.3 * scale)
set xrange [left:right]
tics = ""
last_tic = -1e9
do for [c in counts] {
    if (at(c + 0) - last_tic > 0.045 * (right - left)) {
        tics = tics.(tics eq "" ? "" : ", ").sprintf("'%s' %f", c, at(c + 0))
        last_tic = at(c + 0)
    }
}
eval "set xtics (".tics.")"
set xlabel "workers N"
if (over > 0) {
    set object 1 rectangle from break_at, graph 0 to graph 1, graph 1 behind \
        fillcolor rgb shade fillstyle solid noborder
    set label 1 "more workers\nthan CPUs" at graph 0.985, graph 0.965 right font ",13" \
        textcolor rgb soft
    set label 2 "//" at break_at, graph 0 center font ",15" textcolor rgb soft front
}

# Modes stand a little apart, so that none hides another; the lines that join them do not.
place(m) = sum [i = 1:words(modes)] (word(modes, i) eq m ? i : 0)
apart = 0.09 * (right - left) / (words(modes) > 4 ? words(modes) : 4)
beside = 0.007 * (right - left)    # of a median's point, that of a run
x(m) = at(column("workers")) + (place(m) - (words(modes) + 1) / 2.0) * apart
is_median(_) = column("repetition") == 0
median_of(m, name) = strcol("mode") eq m && is_median(0) && strcol(name) ne "" ? column(name) : NaN
run_of(m, name) = strcol("mode") eq m && !is_median(0) ? column(name) : NaN
is_fair(_) = over == 0 || column("workers") < over
fair_of(m, name) = is_fair(0) ? median_of(m, name) : NaN
over_of(m, name) = is_fair(0) ? NaN : median_of(m, name)
# Across the break.
is_edge(_) = column("workers") == fair || column("workers") == over
edge_of(m, name) = is_edge(0) ? median_of(m, name) : NaN

# Values stand below the lowest point of their N, one below another, where the modes are few.
with_values = words(modes) <= 4
array lowest[words(counts)]        # speedup that is drawn
array highest[words(counts)]
array first[words(counts)]         # of its modes, by place()
array last[words(counts)]
do for [i = 1:words(counts)] { lowest[i] = first[i] = 1e300; highest[i] = last[i] = 0 }
nth(n) = sum [i = 1:words(counts)] (word(counts, i) + 0 == n ? i : 0)
smaller(a, b) = a < b ? a : b
larger(a, b) = a > b ? a : b
set datafile missing "?"
stats data using (i = nth(column("workers")), \
    lowest[i] = smaller(lowest[i], column("speedup")), \
    lowest[i] = strcol("speedup_low") eq "" ? lowest[i] : \
        smaller(lowest[i], column("speedup_low")), \
    highest[i] = larger(highest[i], column("speedup")), \
    first[i] = smaller(first[i], place(strcol("mode"))), \
    last[i] = larger(last[i], place(strcol("mode"))), 0) nooutput
set datafile missing NaN
# Lines of text below that point; above the highest one where there is no room below.
lines_below(m) = with_values ? 0.5 + place(m) - first[nth(column("workers"))] + 1 : NaN
lines_above(m) = with_values ? 0.5 + last[nth(column("workers"))] - place(m) + 1 : NaN
value_of(m, format, name, factor) = strcol("mode") eq m && is_median(0) ? \
    sprintf(format, factor * column(name)) : ""
