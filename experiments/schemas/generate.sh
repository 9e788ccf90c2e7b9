#!/bin/sh
# Writes the JSON schemas and the tables of RESULTS.md anew, from what the program says of its files.
# Usage: generate.sh PROGRAM [FOLDER], the FOLDER being that of RESULTS.md (default: this checkout's).
set -eu
program=$1
folder=${2:-$(dirname "$0")/..}
for fields in "$folder"/schemas/*.fields; do
    "$program" schema "$(basename "$fields" .fields)" > "${fields%.fields}.schema.json"
done
awk -v program="$program" '
    /^<!-- end of fields -->/ { skip = 0 }
    !skip { print }
    /^<!-- fields / {
        command = program " fields " $3
        while ((command | getline line) > 0) print line
        close(command)
        skip = 1
    }' "$folder/RESULTS.md" > "$folder/RESULTS.md.new"
mv "$folder/RESULTS.md.new" "$folder/RESULTS.md"
