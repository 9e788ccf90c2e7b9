#include "experiments/command_line.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "core/base/error.hpp"
#include "experiments/allreduce/command_line.hpp"
#include "experiments/diff/command_line.hpp"
#include "experiments/options/nearest.hpp"
#include "experiments/predict/command_line.hpp"
#include "experiments/results/sweep_file.hpp"
#include "experiments/schemas/command_line.hpp"
#include "experiments/sweep/command_line.hpp"
#include "experiments/text/terminal.hpp"

namespace dp::experiments {
namespace {

using core::Error;
using core::ExitCode;

constexpr const char* kSynopsis =
    "Trains a convolutional network on the CPU with synchronous data parallelism, in shared "
    "memory\n"
    "(threads) and by message passing (procs), and measures one against the other.\n"
    "More than one mode or worker count makes a sweep, with a table at its end.\n"
    "A subcommand does something else; dp_compare help SUBCOMMAND says how.";

constexpr const char* kFooter =
    "Examples:\n"
    "  dp_compare --mode serial,threads,procs -n 1,2 --epochs 2\n"
    "  dp_compare --mode procs -n 4 --dataset cifar10 --data-dir data --out results\n"
    "  dp_compare --mode serial,threads,procs -n 1,2,4 --reps 6 --out results\n"
    "  dp_compare allreduce --mode threads,procs -n 2\n"
    "  dp_compare report results\n"
    "  dp_compare diff before after --fail-above 5%\n"
    "  dp_compare ab --a \"OLD OPTIONS\" --b \"NEW OPTIONS\" --pairs 10 --out ab\n"
    "  dp_compare predict\n"
    "Exit codes: 0 success, 1 failed, 2 usage, 3 data or checkpoint, 4 resources, 5 verification,\n"
    "6 a worker died, 7 a worker stalled, 8 slower than diff or ab allows, 9 they could not\n"
    "judge, 130 interrupted (Ctrl-C), 143 terminated.";

constexpr const char* kReportFooter =
    "Plots need gnuplot (Debian: gnuplot-nox); without it the report has none. Their scripts\n"
    "are in experiments/plots, or in the folder that DP_COMPARE_PLOTS names.\n"
    "Example:\n"
    "  dp_compare --mode serial,threads,procs -n 1,2 --reps 6 --out results\n"
    "  dp_compare report results\n"
    "Exit codes: those of dp_compare.";

/// The subcommand given, or `program`.
const CLI::App& chosen_app(const CLI::App& program) {
    const std::vector<CLI::App*> given = program.get_subcommands();
    return given.empty() ? program : *given.front();
}

/// CLI11's own words, with the next step; for an unknown option or subcommand, the nearest known
/// one.
[[noreturn]] void throw_usage(const CLI::App& program, const CLI::ParseError& error, int argc,
                              const char* const* argv) {
    const CLI::App& app = chosen_app(program);
    const std::string help =
        fmt::format("see dp_compare {}--help", &app == &program ? "" : app.get_name() + " ");
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
        std::vector<std::string> known;
        for (const CLI::Option* option : app.get_options()) {
            for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
        }
        if (&app == &program) {
            for (const CLI::App* sub : program.get_subcommands({})) {
                known.push_back(sub->get_name());
            }
        }
        for (int i = 1; i < argc; ++i) {
            const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
            if (std::ranges::find(known, word) != known.end()) continue;
            const std::string match = nearest(word, known);
            // A value of an option is no option, and near to none.
            if (!word.starts_with("--") && match.empty()) continue;
            throw Error(ExitCode::kUsage, "unknown {} {}{}: {}",
                        word.starts_with("-") ? "option" : "subcommand", word,
                        match.empty() ? "" : fmt::format(" (did you mean {}?)", match), help);
        }
    }
    throw Error(ExitCode::kUsage, "{}: {}", error.what(), help);
}

void require_no_training_options(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() == 0) continue;
        throw Error(ExitCode::kUsage,
                    "{} stands before {}, where it is an option of training: give the options of a "
                    "subcommand after it",
                    option->get_name(), app.get_subcommands().front()->get_name());
    }
}

/// --resume stands with nothing but these: the rest is as it was when the sweep began.
constexpr std::array kBesideResume{"--resume",    "--quiet", "--verbose",
                                   "--no-report", "--help",  "--version"};

/// The request of the sweep in `raw.resume`, as its sweep.json has it.
Request resume(const CLI::App& app, const RawTraining& raw) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() == 0) continue;
        if (std::ranges::find(kBesideResume, option->get_name()) != kBesideResume.end()) continue;
        throw Error(ExitCode::kUsage,
                    "{} cannot be combined with --resume {}, which continues with the sweep's own "
                    "options: leave it "
                    "out, or start a new sweep with --out",
                    option->get_name(), raw.resume.string());
    }
    const SweepFile sweep = read_sweep_file(raw.resume);
    std::vector<const char*> arguments{"dp_compare"};
    bool resumes = false;  // itself, for ever
    for (const std::string& argument : sweep.arguments) {
        arguments.push_back(argument.c_str());
        resumes = resumes || argument.starts_with("--resume");
    }
    const Parsed parsed =
        resumes ? std::string()
                : parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    if (!std::holds_alternative<Request>(parsed)) {
        throw Error(ExitCode::kData, "{} holds no sweep's arguments: start the sweep anew",
                    (raw.resume / kSweepFileName).string());
    }
    auto request = std::get<Request>(parsed);
    request.out = raw.resume;
    request.resume = true;
    request.working_directory = sweep.working_directory;
    request.started = sweep.started;
    request.quiet = raw.request.quiet;
    request.verbose = raw.request.verbose;
    if (raw.no_report) request.report = false;
    if (std::filesystem::current_path() != sweep.working_directory) {
        for (std::filesystem::path* path : {&request.data_dir, &request.base.load}) {
            if (!path->empty()) *path = sweep.working_directory / *path;
        }
    }
    return request;
}

/// For the processes that the program has started; not in the help.
const CLI::App& add_rank_subcommand(CLI::App& program, const char* name, std::string& text) {
    CLI::App* const app = program.add_subcommand(name)->group("");
    app->add_option("TEXT", text)->required();
    return *app;
}

/// "help" as --help, and "help SUBCOMMAND" as that one's.
Parsed help_words(int argc, const char* const* argv) {
    std::vector<const char*> arguments{argv[0]};
    arguments.insert(arguments.end(), argv + 2, argv + argc);
    arguments.push_back("--help");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

/// CLI11 drops what is empty between commas: "-n 2," would be "-n 2".
void require_full_lists(const CLI::App& app, int argc, const char* const* argv) {
    const CLI::Option* list = nullptr;  // that the next words belong to
    for (int i = 1; i < argc; ++i) {
        std::string word = argv[i];
        if (word.starts_with("-")) {
            const std::size_t equals = word.find('=');
            const bool joined = !word.starts_with("--") && word.size() > 2;  // -n2,4
            const std::string name = joined ? word.substr(0, 2) : word.substr(0, equals);
            list = app.get_option_no_throw(name);
            if (list != nullptr && list->get_delimiter() != ',') list = nullptr;
            if (!joined && equals == std::string::npos) continue;
            word.erase(0, joined ? 2 : equals + 1);
        }
        if (list == nullptr) continue;
        word = "," + word + ",";
        if (word.find(",,") == std::string::npos) continue;
        throw Error(ExitCode::kUsage, "{} '{}' has an empty entry: give {}", list->get_name(),
                    word.substr(1, word.size() - 2), list->get_type_name());
    }
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
    if (argc > 1 && argv[1] == std::string_view("help")) return help_words(argc, argv);
    RawTraining raw;
    CLI::App app(kSynopsis, "dp_compare");
    app.set_version_flag("--version", std::string("dp_compare ") + DP_VERSION);
    app.get_formatter()->column_width(34);
    app.footer(kFooter);
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    add_training_options(app, raw);
    allreduce::RawOptions raw_allreduce;
    const CLI::App& allreduce_app = allreduce::add_subcommand(app, raw_allreduce);
    report::Request report_request;
    CLI::App& report_app = *app.add_subcommand(
        "report", "Write report.html, report.md, summary.json and plots of a folder of results");
    report_app.footer(kReportFooter);
    report_app.add_option("DIR", report_request.folder, "The folder that --out has filled")
        ->required();
    report_app.add_flag("--skeleton", report_request.skeleton,
                        "Add blank sections Discussion and Conclusion, whose text you write into\n"
                        "discussion.txt and conclusion.txt there: later reports keep it");
    diff::RawOptions raw_diff;
    const CLI::App& diff_app = diff::add_subcommand(app, raw_diff);
    diff::RawAbOptions raw_ab;
    const CLI::App& ab_app = diff::add_ab_subcommand(app, raw_ab);
    predict::Request predict_request;
    const CLI::App& predict_app = predict::add_subcommand(app, predict_request);
    schemas::RawOptions raw_schemas;
    schemas::add_subcommands(app, raw_schemas);
    RankRequest rank;
    const CLI::App& rank_app = add_rank_subcommand(app, kRankCommand, rank.text);
    allreduce::RankRequest allreduce_rank;
    const CLI::App& allreduce_rank_app =
        add_rank_subcommand(app, allreduce::kRankCommand, allreduce_rank.text);
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const std::size_t columns = terminal_columns(STDOUT_FILENO).value_or(80);
        return wrap(app.help(), std::min<std::size_t>(columns, 80));
    } catch (const CLI::CallForVersion& version) {
        return std::string(version.what()) + "\n";
    } catch (const CLI::ParseError& error) {
        throw_usage(app, error, argc, argv);
    }
    require_full_lists(chosen_app(app), argc, argv);
    if (!app.get_subcommands().empty()) require_no_training_options(app);
    if (rank_app.parsed()) return rank;
    if (allreduce_rank_app.parsed()) return allreduce_rank;
    if (!app.get_subcommands().empty()) {
        require_no_launcher(app.get_subcommands().front()->get_name());
    }
    if (std::string text = schemas::answer(raw_schemas); !text.empty()) return text;
    if (allreduce_app.parsed()) return allreduce::finish(raw_allreduce);
    if (report_app.parsed()) return report_request;
    if (diff_app.parsed()) return diff::finish(raw_diff);
    if (ab_app.parsed()) return diff::finish(raw_ab);
    if (predict_app.parsed()) return predict::finish(predict_request);
    if (!raw.resume.empty()) return resume(app, raw);
    raw.request.arguments = {argv + 1, argv + argc};
    return finish_training(app, raw);
}

}  // namespace dp::experiments
