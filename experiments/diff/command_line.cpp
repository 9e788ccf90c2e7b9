#include "experiments/diff/command_line.hpp"

#include "experiments/options/option_values.hpp"

namespace dp::experiments::diff {
namespace {

constexpr const char* kDescription =
    "Compare two folders of results, of before and after a change: did it get slower?";

constexpr const char* kFooter =
    "Each configuration (mode and N) that both folders have is compared by its images/s; it takes\n"
    "repetitions (--reps) to tell a difference from chance.\n"
    "Example:\n"
    "  dp_compare --mode threads,procs -n 1,2 --reps 5 --steps 30 --epochs 1 --out before\n"
    "  ... the change ...\n"
    "  dp_compare --mode threads,procs -n 1,2 --reps 5 --steps 30 --epochs 1 --out after\n"
    "  dp_compare diff before after --fail-above 5%\n"
    "Exit codes: those of dp_compare; 8: slower by more than --fail-above; 9: --fail-above could\n"
    "not be judged, for repetitions are too few or all rows oversubscribed.";

}  // namespace

CLI::App& add_subcommand(CLI::App& program, RawOptions& raw) {
    Request& request = raw.request;
    CLI::App& app = *program.add_subcommand("diff", kDescription);
    app.footer(kFooter);
    app.add_option("before", request.before, "Folder of results to compare with")
        ->type_name("A")
        ->required();
    app.add_option("after", request.after, "Folder of results to compare")
        ->type_name("B")
        ->required();
    app.add_option("--fail-above", raw.fail_above,
                   "Exit with 8 when images/s of a configuration are shown to be lower by more "
                   "than this")
        ->type_name("PERCENT");
    // Below, no number of repetitions that anyone makes is enough.
    app.add_option("--alpha", request.alpha,
                   "Probability of calling chance a difference, over all configurations")
        ->check(number_in(0.001, 0.5, "a probability from 0.001 to 0.5"))
        ->capture_default_str();
    app.add_option("--json", request.json, "Write the comparison into this file")
        ->type_name("FILE");
    return app;
}

Request finish(const RawOptions& raw) {
    Request request = raw.request;
    if (!raw.fail_above.empty()) {
        request.fail_above = parse_share("--fail-above", raw.fail_above);
    }
    return request;
}

}  // namespace dp::experiments::diff
