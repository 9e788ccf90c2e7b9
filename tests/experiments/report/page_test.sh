#!/usr/bin/env bash
# Facts about the report as a reader sees it, shown in headless Chromium: a folder of real runs, its
# report at the width of a phone, in dark mode and on paper. Prints the facts that do not hold and
# exits 1 if there are any. Leaves nothing behind.
#   page_test.sh DP_COMPARE
set -euo pipefail

program=$1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0

fact() { # DESCRIPTION COMMAND...
    local description=$1
    shift
    if ! "$@"; then
        echo "does not hold: $description" >&2
        failures=$((failures + 1))
    fi
}

# Without these Chromium looks for a network, a GPU or a user.
browser() {
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$work/profile" --enable-logging=stderr --virtual-time-budget=5000 "$@"
}

# Spaces in DIR on purpose.
folder="$work/my results"
"$program" --mode serial,threads,procs -n 1,2 --epochs 2 --steps 3 --quiet --out "$folder" \
    >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
cat "$work/log" >&2 # what it warns of may be missing below
"$program" report "$folder" >"$work/out" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
html=$folder/report.html

fact "report says where it is" grep -qF "$html" "$work/out"
fact "a folder with gnuplot reports without a warning" [ ! -s "$work/log" ]
fact "no element names anything outside" \
    bash -c '! grep -oE "(src|href)=[\"'"'"'][^#\"'"'"']+" "$1" | grep -v "=.data:,$"' - "$html"

# A page that holds the report in a frame of a phone's width, since Chromium's own windows are
# wider, and says of it what a reader would see.
escaped=$(sed -e 's/&/\&amp;/g' -e 's/"/\&quot;/g' "$html")
{
    echo '<!DOCTYPE html><meta charset="utf-8"><title>probe</title>'
    printf '<iframe width="390" height="800" srcdoc="%s"></iframe>\n' "$escaped"
    for image in "$folder"/plots/*.png; do
        printf '<img src="my results/plots/%s">\n' "${image##*/}"
    done
    cat <<'PROBE'
<pre id="facts">none</pre>
<script>
addEventListener("load", async () => {
  const frame = document.querySelector("iframe").contentWindow;
  const page = frame.document;
  const root = page.documentElement;
  const images = [...document.querySelectorAll("img")];
  const decoded = await Promise.allSettled(images.map((image) => createImageBitmap(image)));
  const drawings = [...page.querySelectorAll("svg[role=img]")];
  const ids = [...page.querySelectorAll("[id]")].map((each) => each.id);
  const wide = [...page.querySelectorAll("body *")].filter((each) =>
    !each.closest(".scroll, .card, pre") && each.getBoundingClientRect().right > 391);
  const isCut = (text) => {
    const own = text.getBoundingClientRect();
    const all = text.closest("svg").getBoundingClientRect();
    return own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 ||
      own.bottom > all.bottom + 1;
  };
  const [r, g, b] = getComputedStyle(page.body).backgroundColor.match(/\d+/g).map(Number);
  document.getElementById("facts").textContent = [
    `overflow=${root.scrollWidth - root.clientWidth}`, `wide=${wide.length}`,
    `dark=${r + g + b < 150}`, `drawings=${drawings.length}`,
    `empty=${drawings.filter((each) => each.getBBox().width < 100).length}`,
    `unlabelled=${drawings.filter((each) => !each.ariaLabel).length}`,
    `cut=${drawings.flatMap((each) => [...each.querySelectorAll("text")]).filter(isCut).length}`,
    `vague=${drawings.filter((each) => !/\d/.test(each.ariaLabel)).length}`,
    `white=${drawings.filter((each) => getComputedStyle(each).filter === "none").length}`,
    `hints=${[...page.querySelectorAll(".hint")]
      .filter((each) => each.getBoundingClientRect().height > 5).length}`,
    `images=${images.length}`,
    `broken=${decoded.filter((each) => each.status !== "fulfilled").length}`,
    `doubled=${ids.length - new Set(ids).size}`,
    `dead=${[...page.querySelectorAll('a[href^="#"]')]
      .filter((each) => !page.getElementById(each.hash.slice(1))).length}`,
    `scripts=${page.scripts.length}`,
    `requests=${frame.performance.getEntriesByType("resource")
      .filter((each) => !each.name.startsWith("data:")).length}`,
  ].join(" ");
});
</script>
PROBE
} >"$work/probe.html"

probe() { # NAME OPTION...
    local name=$1
    shift
    browser --allow-file-access-from-files --dump-dom "$@" "file://$work/probe.html" \
        2>"$work/$name.log" | sed -n 's/.*<pre id="facts">\([^<]*\)<.*/\1/p' >"$work/$name"
}
probe light --blink-settings=preferredColorScheme=1
probe dark --blink-settings=preferredColorScheme=0

says() { # NAME FACT
    grep -qw -- "$2" "$work/$1" || { echo "  found: $(cat "$work/$1")" >&2; return 1; }
}
quiet_console() { ! grep -F "CONSOLE" "$work/$1.log" >&2; }

fact "no page overflow at 390 px" says light overflow=0
fact "only boxes that scroll hold what is wider" says light wide=0
fact "light mode is light" says light dark=false
fact "dark mode is dark" says dark dark=true
plots=$(find "$folder/plots" -name '*.svg' | wc -l)
fact "at least ten plots were drawn" [ "$plots" -ge 10 ]
fact "every plot is in the page" says light "drawings=$plots"
fact "no plot is empty" says light empty=0
fact "every plot says in words what it shows" says light unlabelled=0
fact "and with figures" says light vague=0
fact "no text of a plot is cut" says light cut=0
fact "plots are drawn as they are in light mode" says light "white=$plots"
fact "plots are dark in dark mode" says dark white=0
fact "every plot says on a phone that it scrolls" says light "hints=$plots"
fact "every plot is a PNG as well" says light "images=$plots"
fact "every PNG decodes" says light broken=0
fact "every id is there once" says light doubled=0
fact "every link within the page goes somewhere" says light dead=0
fact "there is no script" says light scripts=0
fact "nothing is asked of the network" says light requests=0
fact "the console is quiet in light mode" quiet_console light
fact "the console is quiet in dark mode" quiet_console dark

browser --no-pdf-header-footer --print-to-pdf="$work/report.pdf" "file://$folder/report.html" \
    >"$work/print.log" 2>&1
fact "it prints as a PDF" grep -qa '^%PDF-1' "$work/report.pdf"

links_exist() {
    local target
    while read -r target; do
        [[ -e $folder/$target ]] || { echo "  missing: $target" >&2; return 1; }
    done < <(grep -oE '\]\(plots/[^)]*\)' "$folder/report.md" | sed 's/^](//; s/)$//')
}
fact "report.md links files that are there" links_exist

# What the user writes stays.
"$program" report --skeleton "$folder" >/dev/null
fact "a skeleton has blank sections" \
    bash -c 'grep -q "^## Discussion" "$1" && grep -q "^Not written yet" "$1"' - "$folder/report.md"
printf 'Two\nlines & <one>.\n\nThe end.\n' >"$folder/discussion.txt"
"$program" report --skeleton "$folder" >/dev/null
"$program" report "$folder" >/dev/null
fact "a report made again keeps what was written" \
    grep -qF '<p>Two lines &amp; &lt;one&gt;.</p>' "$html"
fact "in paragraphs" grep -qxF '<p>The end.</p>' "$html"
fact "an empty folder gets no skeleton" bash -c \
    'mkdir "$2" && ! "$1" report --skeleton "$2" 2>/dev/null && [ -z "$(ls -A "$2")" ]' \
    - "$program" "$work/nothing"

# A PATH without gnuplot.
mkdir "$work/empty"
env PATH="$work/empty" "$program" report "$folder" >/dev/null 2>"$work/log" || failures=1
fact "without gnuplot one warning names the package" \
    bash -c '[ "$(grep -c warning "$1")" = 1 ] && grep -q gnuplot-nox "$1"' - "$work/log"
fact "and the report is written without plots" bash -c '! grep -q "<svg" "$1"' - "$html"

((failures == 0)) || exit 1
echo "all facts about the report's page hold"
