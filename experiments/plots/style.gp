# The look that all plots share: colours, points, how data files are read. Every script loads it
# first, and output.gp before it plots. gnuplot 5.4.
#
# A script is called with the folder of the data, `svg` or `png`, and the name of the plot, which
# is that of its data file and of the picture:
#   gnuplot -c speedup.gp DIR/plots svg speedup      reads DIR/plots/speedup.csv

set encoding utf8
# A name that begins with < or | would be a command.
if (folder[1:1] ne "/") folder = "./".folder
data = folder."/".name.".csv"

set datafile separator comma
set datafile columnheaders
# An empty cell and a value of another mode's row leave a line whole.
set datafile missing NaN

# Each mode's colour and solid point, the same in every plot, are in modes.csv, which stands beside
# the data; the hollow point of a kind is its number less 1.
looks = ""
note_look(mode, color, mark) = (looks = looks." ".mode." ".color." ".mark, 0)
stats folder."/modes.csv" \
    using (note_look(strcol("mode"), strcol("color"), strcol("mark"))) nooutput
place_of(mode) = sum [i = 1:words(looks)] (word(looks, i) eq mode ? i : 0)
color_of(mode) = place_of(mode) > 0 ? word(looks, place_of(mode) + 1) + 0 : 0xE69F00
point_of(mode) = place_of(mode) > 0 ? word(looks, place_of(mode) + 2) + 0 : 11

# What a step does (Tol, "Colour schemes", 2021, muted): computing in blue and sand, exchange in
# purple and red.
load_color = 0x999999
forward_color = 0x88CCEE
backward_color = 0x4477AA
update_color = 0xDDCC77
other_color = 0xDDDDDD
transfer_color = 0x882255
hidden_color = 0xCC99BB
wait_color = 0xEE8866
publish_color = 0xFFDDBB

soft = 0x666666
shade = 0xEEEEEE  # behind what is oversubscribed
set border 3 linecolor rgb soft
set tics nomirror textcolor rgb 0x222222
set grid ytics linecolor rgb 0xDDDDDD linewidth 0.6
set key opaque font ",14"
set style fill solid 1.0 noborder
set boxwidth 0.8

# Collects the modes of `data`, each once, in their order: `stats` runs note_mode() on every row.
modes = ""
note_mode(mode) = (strstrt(" ".modes." ", " ".mode." ") ? 0 : \
                   (modes = modes eq "" ? mode : modes." ".mode, 1))
