# Opens the picture: an SVG for pages, a PNG of twice the pixels for what takes no SVG. Sizes are in
# pixels of the SVG; at this width fonts can be read on a page as on a phone.

plot_width = 720
if (!exists("plot_height")) plot_height = 480

if (format eq "svg") {
    set terminal svg size plot_width,plot_height dynamic font "DejaVu Sans,Verdana,sans-serif,16" \
        background "white" linewidth 1.3
} else {
    set terminal pngcairo size 2*plot_width,2*plot_height font "DejaVu Sans,12" fontscale 2 \
        background "white" linewidth 2.6 pointscale 2
}
set output folder."/".name.".".format
