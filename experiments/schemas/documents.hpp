// What the files that the program writes hold, field by field. The descriptions are the texts
// NAME.fields beside this file, the settings' table and the columns of the CSV files; JSON schemas
// and the tables of RESULTS.md are made of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dp::experiments::schemas {

/// A text NAME.fields, inside the program. Its first line is "title | description". A line is then
/// "path | type | unit | meaning", "### heading", "path @settings" or "path @trace" (those of the
/// settings' table), "path | summary TYPE | unit | meaning" (or summary?: statistics::Summary of
/// such values, whose fields only the schemas list), or "also path | JSON": what a schema says
/// besides of the object there. A type is
///   string, boolean, number, integer, object, map (of strings)
///   whole (from 0), count (from 1), amount (from 0), positive, share (of 1), utc
///   =VALUE, /PATTERN/, A,B,C (one of these), @modes, @reductions, @scaling, @NAME (that schema)
/// with ? where null may stand for it; then bounds (>=1), [] for a list (as `path` ends), []2 of so
/// many, []? that may be null; and `optional`.
struct FieldsText {
    std::string_view name;
    std::string_view text;
};
std::span<const FieldsText> fields_texts();

struct Field {
    std::string path;  // result.epochs[].images; of a heading "### heading"
    std::string type;
    std::string unit;
    std::string meaning;
    bool usual = false;  // a field of every summary, which RESULTS.md describes once
};

struct Document {
    std::string_view name;
    std::string title;
    std::string description;
    std::vector<Field> fields;
    std::vector<std::pair<std::string, std::string>> also;  // path, JSON
};

/// Throws Error(kUsage) that lists the names.
Document read_document(std::string_view name);

/// The JSON Schema (draft 2020-12) of `document`, a line for each property.
std::string schema_text(const Document& document);

/// The tables of RESULTS.md for a document, or for runs.csv and epochs.csv. Throws Error(kUsage).
std::string fields_text(std::string_view name);

}  // namespace dp::experiments::schemas
