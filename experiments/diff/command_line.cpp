#include "experiments/diff/command_line.hpp"

#include "experiments/options/option_values.hpp"

namespace dp::experiments::diff {
namespace {

constexpr const char* kDescription =
    "Compare two folders of results, of before and after a change: did it get slower?";

constexpr const char* kFooter =
    "Each configuration (design and N) that both folders have is compared by its images/s; it "
    "takes\n"
    "repetitions (--reps) to tell a difference from chance.\n"
    "Example:\n"
    "  dp_compare --mode threads,procs -n 1,2 --reps 6 --steps 30 --epochs 1 --out before\n"
    "  ... the change ...\n"
    "  dp_compare --mode threads,procs -n 1,2 --reps 6 --steps 30 --epochs 1 --out after\n"
    "  dp_compare diff before after --fail-above 5%\n"
    "Exit codes: those of dp_compare; 8: slower by more than --fail-above; 9: --fail-above could\n"
    "not be judged, because there are too few repetitions or all rows oversubscribed.";

constexpr const char* kAbDescription =
    "Measure two programs, or options, in turn, pair by pair, and compare them";

constexpr const char* kAbFooter =
    "Each pair is one repetition of both, one right after the other: a b b a or b a a b, as\n"
    "drawn. One mode and N a command keeps the compared runs next to each other.\n"
    "Example:\n"
    "  dp_compare ab --a \"old/dp_compare --mode threads -n 2 --steps 30 --epochs 1\" \\\n"
    "      --b \"build/dp_compare --mode threads -n 2 --steps 30 --epochs 1\" \\\n"
    "      --pairs 10 --out ab --fail-above 5%\n"
    "Exit codes: those of dp_compare diff.";

/// What both subcommands have.
void add_terms(CLI::App& app, std::string& fail_above, Terms& terms, std::filesystem::path& json) {
    app.add_option("--fail-above", fail_above,
                   "Exit with 8 when images/s of a configuration are shown to be lower by more "
                   "than this, by a one-sided test")
        ->type_name("PERCENT");
    // Below, no number of repetitions that anyone makes is enough.
    app.add_option("--alpha", terms.alpha,
                   "Probability of calling chance a difference, over all configurations")
        ->check(number_in(0.001, 0.5, "a probability from 0.001 to 0.5"))
        ->capture_default_str();
    app.add_option("--json", json, "Write the comparison into this file")->type_name("FILE");
}

/// Throws Error(kUsage) for an empty name.
std::vector<std::filesystem::path> folders_of(const std::string& side, const std::string& text) {
    if (("," + text + ",").find(",,") != std::string::npos) {
        throw core::Error(core::ExitCode::kUsage, "{} '{}' has an empty entry: name folders", side,
                          text);
    }
    const std::vector<std::string> names = CLI::detail::split(text, ',');
    return {names.begin(), names.end()};
}

}  // namespace

CLI::App& add_subcommand(CLI::App& program, RawOptions& raw) {
    Request& request = raw.request;
    CLI::App& app = *program.add_subcommand("diff", kDescription);
    app.footer(kFooter);
    app.add_option("before", raw.before,
                   "Folder of results to compare with, or several, with commas between: then each "
                   "counts once")
        ->type_name("A")
        ->required();
    app.add_option("after", raw.after, "Folder of results to compare, or several")
        ->type_name("B")
        ->required();
    app.add_option("--between-sweeps", raw.between_sweeps,
                   "How much sweeps of one program differ on this machine (standard deviation), "
                   "where each side is one folder")
        ->type_name("PERCENT");
    add_terms(app, raw.fail_above, request.terms, request.json);
    return app;
}

Request finish(const RawOptions& raw) {
    Request request = raw.request;
    request.before = folders_of("A", raw.before);
    request.after = folders_of("B", raw.after);
    if (!raw.fail_above.empty()) {
        request.terms.fail_above = parse_share("--fail-above", raw.fail_above);
    }
    if (!raw.between_sweeps.empty()) {
        if (request.before.size() + request.after.size() > 2) {
            throw core::Error(core::ExitCode::kUsage,
                              "--between-sweeps {}: with several folders on a side it is measured: "
                              "leave it out, or name one folder a side",
                              raw.between_sweeps);
        }
        request.terms.between_sweeps = parse_share("--between-sweeps", raw.between_sweeps);
    }
    return request;
}

CLI::App& add_ab_subcommand(CLI::App& program, RawAbOptions& raw) {
    AbRequest& request = raw.request;
    CLI::App& app = *program.add_subcommand("ab", kAbDescription);
    app.footer(kAbFooter);
    app.add_option("--a", raw.commands[0], "Program and options to compare with, in quotes")
        ->type_name("COMMAND")
        ->required();
    app.add_option("--b", raw.commands[1], "Program and options to compare, in quotes")
        ->type_name("COMMAND")
        ->required();
    app.add_option("--pairs", request.pairs, "How often both are run")
        ->check(whole_number(1, 1000))
        ->capture_default_str();
    app.add_option("--out", request.out, "Folder for the results of both")
        ->type_name("DIR")
        ->required();
    app.add_flag("--force", request.force, "Overwrite such results in --out");
    app.add_option("--seed", request.seed, "Draws which of a pair runs first")
        ->capture_default_str();
    add_terms(app, raw.fail_above, request.terms, request.json);
    return app;
}

AbRequest finish(const RawAbOptions& raw) {
    AbRequest request = raw.request;
    for (std::size_t side = 0; side < raw.commands.size(); ++side) {
        request.commands.at(side) = CLI::detail::split_up(raw.commands.at(side));
        if (request.commands.at(side).empty()) {
            throw core::Error(core::ExitCode::kUsage,
                              "--{} is empty: name a program and its options, in quotes",
                              side == 0 ? "a" : "b");
        }
    }
    if (!raw.fail_above.empty()) {
        request.terms.fail_above = parse_share("--fail-above", raw.fail_above);
    }
    return request;
}

}  // namespace dp::experiments::diff
