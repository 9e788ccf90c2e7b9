// `dp_compare schema NAME` and `dp_compare fields NAME`: what the program's files hold.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace dp::experiments::schemas {

struct RawOptions {
    std::string schema;  // a document's name; empty: not asked for
    std::string fields;
};

/// Adds both subcommands to `program`. `raw` outlives the parsing.
void add_subcommands(CLI::App& program, RawOptions& raw);

/// What was asked for; empty when neither was. Throws Error(kUsage).
std::string answer(const RawOptions& raw);

}  // namespace dp::experiments::schemas
