// The options of `dp_compare report`.
#pragma once

#include <filesystem>

namespace CLI {
class App;
}

namespace dp::experiments::report {

struct Request {
    std::filesystem::path folder;
};

/// Adds the subcommand to `program`, which must have its defaults. `request` outlives the parsing.
CLI::App& add_subcommand(CLI::App& program, Request& request);

}  // namespace dp::experiments::report
