#include "experiments/command_line.hpp"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "core/base/error.hpp"
#include "core/data/dataset_table.hpp"
#include "core/nn/model.hpp"
#include "experiments/allreduce/command_line.hpp"
#include "experiments/diff/command_line.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/injection.hpp"
#include "experiments/options/nearest.hpp"
#include "experiments/options/option_values.hpp"
#include "experiments/predict/command_line.hpp"
#include "experiments/results/sweep_file.hpp"
#include "experiments/sweep/plan.hpp"

namespace dp::experiments {
namespace {

using core::Error;
using core::ExitCode;

constexpr const char* kSynopsis =
    "Trains a convolutional network on the CPU with synchronous data parallelism, in shared "
    "memory\n"
    "(threads) and by message passing (procs), and measures one against the other.\n"
    "More than one mode or worker count makes a sweep, with a table at its end.\n"
    "A subcommand does something else; dp_compare SUBCOMMAND --help says how.";

constexpr const char* kFooter =
    "Examples:\n"
    "  dp_compare --mode serial,threads,procs -n 1,2 --epochs 2\n"
    "  dp_compare --mode procs -n 4 --dataset cifar10 --data-dir data --out results\n"
    "  dp_compare --mode serial,threads,procs -n 1,2,4 --reps 5 --out results\n"
    "  dp_compare allreduce --mode threads,procs -n 2\n"
    "  dp_compare report results\n"
    "  dp_compare diff before after --fail-above 5%\n"
    "  dp_compare predict -n 16,32,64\n"
    "Exit codes: 0 success, 1 failed, 2 usage, 3 data or checkpoint, 4 resources, 5 verification,\n"
    "6 a worker died, 7 a worker stalled, 8 slower than diff allows, 130 interrupted.";

std::string list_of(auto rows) {
    std::string text;
    for (const auto& row : rows) text += fmt::format("{}{}", text.empty() ? "" : ", ", row.name);
    return text;
}

/// The value of `option` that `text` names in `rows`.
auto parse_choice(const auto& rows, const std::string& option, const std::string& text) {
    for (const auto& row : rows) {
        if (row.name == text) return row.value;
    }
    throw Error(ExitCode::kUsage, "{} '{}' is not known: choose one of {}", option, text,
                list_of(rows));
}

std::string describe_choices(const std::string& what, const auto& rows) {
    std::string text = what;
    for (const auto& row : rows) {
        text +=
            fmt::format("{} {}: {}", &row == &rows.front() ? ":" : ";", row.name, row.description);
    }
    return text;
}

/// Options as CLI11 fills them, before the checks that need more than one of them.
struct Raw {
    std::vector<std::string> modes{"serial"};
    std::vector<std::string> workers{"1"};
    std::string model;
    std::string overlap{"on"};
    std::string inject;
    std::string trace_steps;
    std::string scaling{kScalings.front().name};
    std::filesystem::path resume;
    bool no_report = false;
    bool scaling_given = false;
    std::string convolution{core::kConvolutionAlgorithms.front().name};
    std::string precision{core::kPrecisions.front().name};
    std::optional<std::size_t> batch_size, steps;
    std::optional<double> lr, momentum, weight_decay;
    bool no_shuffle = false;
};

void add_options(CLI::App& app, Raw& raw, Request& request) {
    core::RunConfig& base = request.base;
    // Far beyond any use, and small enough that no product of two of them overflows.
    constexpr std::size_t kMost = 1'000'000'000;
    const auto natural = whole_number(0, kMost);
    const auto batch = whole_number(1, 1'000'000);
    const auto from_zero = number_in(0.0, 1e30, "a number of 0 or more");

    std::string mode_help;
    for (const Mode& mode : modes()) {
        mode_help +=
            fmt::format("{}{}: {}", mode_help.empty() ? "" : ";\n", mode.name, mode.description);
    }
    mode_help +=
        ".\nBeside other modes serial runs once with one worker, as their baseline (default: "
        "serial)";
    app.add_option("--mode", raw.modes, mode_help)
        ->delimiter(',')
        ->type_name("MODE[,MODE...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option(
           "-n,--workers,--world-size", raw.workers,
           fmt::format("Workers (ranks), 1 to {}, for example 1,2,4 (default: 1)", kMaxWorkers))
        ->delimiter(',')
        ->type_name("N[,N...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

    app.add_option("--reps,--repetitions", request.repetitions,
                   "Run each configuration so often, interleaved in shuffled order; tables show "
                   "medians, from 5 on with 95 % intervals")
        ->check(whole_number(1, 1000))
        ->capture_default_str();
    app.add_option("--scaling", raw.scaling,
                   describe_choices("How the work follows from N", kScalings))
        ->capture_default_str();

    app.add_option("--model", raw.model,
                   "Network: " + list_of(core::models()) + " (default: the data set's)")
        ->group("Training");
    app.add_option("--epochs", base.epochs,
                   "Passes over the training set; 0 only evaluates (with --load)")
        ->check(natural)
        ->capture_default_str()
        ->group("Training");
    app.add_option("--steps", raw.steps, "End each epoch after this many steps (default: all)")
        ->check(natural)
        ->group("Training");
    app.add_option("--batch-size", raw.batch_size, "Images per worker and step (default: 128)")
        ->check(batch)
        ->group("Training");
    app.add_option("--global-batch", request.global_batch, "Images per step over all workers")
        ->check(batch)
        ->group("Training");
    app.add_option("--optimizer", base.optimizer.name, "Optimizer: " + core::optimizer_names())
        ->capture_default_str()
        ->group("Training");
    app.add_option("--lr", raw.lr, "Learning rate (default: sgd 0.01, adam 0.001)")
        ->check(from_zero)
        ->group("Training");
    app.add_option("--momentum", raw.momentum, "Momentum of sgd (default: 0.9)")
        ->check(number_in(0.0, 1.0, "a number from 0 to 1"))
        ->group("Training");
    app.add_option("--weight-decay", raw.weight_decay, "Weight decay (default: sgd 1e-4, adam 0)")
        ->check(from_zero)
        ->group("Training");
    app.add_option("--convolution", raw.convolution,
                   describe_choices("Algorithm of 3x3 convolutions", core::kConvolutionAlgorithms))
        ->capture_default_str()
        ->group("Training");
    app.add_option("--precision", raw.precision,
                   describe_choices("Arithmetic of the layers", core::kPrecisions))
        ->capture_default_str()
        ->group("Training");
    app.add_option("--dropout", base.dropout, "Probability of zeroing a unit in dropout layers")
        ->check(number_in(0.0, 0.99, "a probability from 0 to 0.99"))
        ->capture_default_str()
        ->group("Training");
    app.add_option("--seed", base.seed, "Seed of parameters, order, dropout and synthetic data")
        ->check(natural)
        ->capture_default_str()
        ->group("Training");
    app.add_option("--bucket-kib", base.bucket_kib,
                   "Exchange gradients in buckets of at least this many KiB; 0: one per tensor")
        ->check(natural)
        ->capture_default_str()
        ->group("Training");
    std::string reduction_help = "How gradients are summed; the first of a mode is its default";
    for (const Mode& mode : modes()) {
        for (const core::ExchangeTraits& row : mode.reductions()) {
            reduction_help += fmt::format(";\n{} {}: {}", mode.name, row.name, row.description);
        }
    }
    app.add_option("--reduction", base.reduction, reduction_help)
        ->type_name("NAME")
        ->group("Training");
    app.add_option("--overlap", raw.overlap, "on: the exchange advances during backward; on or off")
        ->check(one_of({"on", "off"}))
        ->capture_default_str()
        ->group("Training");
    app.add_option("--inject", raw.inject, injection_help())->type_name("SPEC")->group("Training");
    app.add_option("--timeout", base.timeout_seconds, "Seconds to wait for a worker that is late")
        ->check(number_in(0.1, 1e9, "a number of seconds from 0.1"))
        ->capture_default_str()
        ->group("Training");

    app.add_option("--dataset", base.dataset, "Data set: " + list_of(core::datasets()))
        ->capture_default_str()
        ->group("Data");
    app.add_option("--data-dir", request.data_dir,
                   "Folder of the data set's files; experiments/get_data.sh fetches cifar10 and "
                   "mnist, synthetic is made and fashion-mnist found without it")
        ->type_name("DIR")
        ->group("Data");
    app.add_flag("--augment", base.augment, "Random crops and flips")->group("Data");
    app.add_flag("--no-shuffle", raw.no_shuffle, "Keep the data's order")->group("Data");

    app.add_option("--load", base.load, "Start from this checkpoint (safetensors)")
        ->type_name("FILE")
        ->group("Files");
    app.add_option("--save", base.save, "Write the final parameters here (safetensors)")
        ->type_name("FILE")
        ->group("Files");
    app.add_option("--out", request.out,
                   "Write each run's results into this folder, and a sweep's report")
        ->type_name("DIR")
        ->group("Files");
    app.add_option("--trace", request.trace,
                   "Write a timeline of a few steps here, over a file that is there, for "
                   "ui.perfetto.dev")
        ->type_name("FILE")
        ->group("Files");
    app.add_option("--trace-steps", raw.trace_steps,
                   "Steps of the first epoch to trace, counted from 1 (default: 11-13, or the "
                   "last three of a shorter epoch)")
        ->type_name("A[-B]")
        ->group("Files");
    app.add_flag("--force", request.force, "Overwrite results in --out")->group("Files");
    app.add_option("--resume", raw.resume,
                   "Go on with the sweep in this folder, an earlier --out, as it was asked then")
        ->type_name("DIR")
        ->group("Files");
    app.add_flag("--no-report", raw.no_report, "End a sweep with --out without a report")
        ->group("Files");

    app.add_flag("--dry-run", request.dry_run, "Print the plan and stop");
    app.add_flag("--verbose", request.verbose, "A line for each worker at its start");
    app.add_flag("--quiet", request.quiet, "Only the final table, or of a single run its summary");
}

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

/// A reduction is for the modes that offer it, and one of them must be there.
void check_reduction(const Request& request) {
    const std::string& reduction = request.base.reduction;
    if (reduction.empty()) return;
    std::string offered;
    for (const std::string& name : request.modes) {
        const Mode& mode = find_mode(name);
        if (const auto row = mode.find_reduction(reduction)) {
            return warn_of_former_name(*row, reduction);
        }
        offered += fmt::format("{}{} offers {}", offered.empty() ? "" : "; ", name,
                               mode.reduction_names());
    }
    throw Error(ExitCode::kUsage,
                "--reduction '{}' is no reduction of the modes asked for ({}): choose one of "
                "theirs, or another --mode",
                reduction, offered);
}

void check_delay(const Request& request) {
    const std::size_t most = *std::ranges::max_element(request.workers);
    const auto& delay = request.base.delay;
    if (!delay || delay->rank < most) return;
    throw Error(ExitCode::kUsage, "--inject rank={}: with -n {} ranks are 0 to {}: choose one",
                delay->rank, most, most - 1);
}

void require_one_run(const Request& request, const char* option,
                     const std::filesystem::path& file) {
    const std::size_t runs = plan_configurations(request).size() * request.repetitions;
    if (file.empty() || runs == 1) return;
    throw Error(ExitCode::kUsage,
                "{} {} is one file, but {} runs would write it: choose one mode, one -n and one "
                "repetition",
                option, file.string(), runs);
}

/// A fixed global batch is strong scaling, and no other.
void choose_scaling(const Raw& raw, Request& request) {
    request.scaling = parse_choice(kScalings, "--scaling", raw.scaling);
    if (request.scaling == Scaling::kStrong && !request.global_batch) {
        request.global_batch = request.base.batch_size;
    }
    if (!request.global_batch || request.scaling == Scaling::kStrong) return;
    if (raw.scaling_given) {
        throw Error(ExitCode::kUsage,
                    "--scaling {} and --global-batch {} exclude each other: a fixed global batch "
                    "is --scaling strong",
                    raw.scaling, *request.global_batch);
    }
    request.scaling = Scaling::kStrong;
}

/// Where a sweep's files go is no part of what it was asked.
std::vector<std::string> without_folder(const std::vector<std::string>& arguments) {
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--force" || arguments[i].starts_with("--out=")) continue;
        if (arguments[i] == "--out") {
            ++i;
            continue;
        }
        kept.push_back(arguments[i]);
    }
    return kept;
}

/// --resume stands with nothing but these: the rest is as it was when the sweep began.
constexpr std::array kBesideResume{"--resume",    "--quiet", "--verbose",
                                   "--no-report", "--help",  "--version"};

/// The request of the sweep in `raw.resume`, as its sweep.json has it.
Request resume(const CLI::App& app, const Raw& raw, const Request& given) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() == 0) continue;
        if (std::ranges::find(kBesideResume, option->get_name()) != kBesideResume.end()) continue;
        throw Error(ExitCode::kUsage,
                    "{} stands beside --resume {}, which goes on as the sweep was asked: leave it "
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
    request.quiet = given.quiet;
    request.verbose = given.verbose;
    if (raw.no_report) request.report = false;
    if (std::filesystem::current_path() != sweep.working_directory) {
        for (std::filesystem::path* path : {&request.data_dir, &request.base.load}) {
            if (!path->empty()) *path = sweep.working_directory / *path;
        }
    }
    return request;
}

void finish(const Raw& raw, Request& request) {
    core::RunConfig& base = request.base;
    request.modes = raw.modes;
    for (const std::string& mode : request.modes) find_mode(mode);
    for (const std::string& text : raw.workers) request.workers.push_back(parse_workers(text));
    require_unique(request.modes, "--mode");
    require_unique(request.workers, "-n");

    check_reduction(request);
    base.overlap = raw.overlap == "on";
    if (!raw.inject.empty()) base.delay = parse_injection(raw.inject);
    check_delay(request);

    base.optimizer = core::OptimizerConfig::defaults(base.optimizer.name);
    base.optimizer.learning_rate = raw.lr.value_or(base.optimizer.learning_rate);
    base.optimizer.momentum = raw.momentum.value_or(base.optimizer.momentum);
    base.optimizer.weight_decay = raw.weight_decay.value_or(base.optimizer.weight_decay);
    base.network.convolution =
        parse_choice(core::kConvolutionAlgorithms, "--convolution", raw.convolution);
    base.network.precision = parse_choice(core::kPrecisions, "--precision", raw.precision);
    base.shuffle = !raw.no_shuffle;
    base.steps_limit = raw.steps;
    base.batch_size = raw.batch_size.value_or(base.batch_size);
    if (raw.batch_size && request.global_batch) {
        throw Error(ExitCode::kUsage,
                    "--batch-size {} and --global-batch {} exclude each other: give the first for "
                    "each worker or the second for all",
                    *raw.batch_size, *request.global_batch);
    }
    choose_scaling(raw, request);
    const core::DatasetEntry& dataset = core::find_dataset(base.dataset);
    base.model = raw.model.empty() ? dataset.default_model : raw.model;
    core::find_model(base.model);
    require_one_run(request, "--save", base.save);
    require_one_run(request, "--trace", request.trace);
    if (raw.trace_steps.empty()) return;
    request.trace_steps = parse_steps("--trace-steps", raw.trace_steps);
    if (request.trace.empty()) {
        throw Error(ExitCode::kUsage, "--trace-steps {} without --trace: name the file too",
                    raw.trace_steps);
    }
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
    Request request;
    Raw raw;
    CLI::App app(kSynopsis, "dp_compare");
    app.set_version_flag("--version", std::string("dp_compare ") + DP_VERSION);
    app.get_formatter()->column_width(34);
    app.footer(kFooter);
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    add_options(app, raw, request);
    allreduce::RawOptions raw_allreduce;
    const CLI::App& allreduce_app = allreduce::add_subcommand(app, raw_allreduce);
    report::Request report_request;
    const CLI::App& report_app = report::add_subcommand(app, report_request);
    diff::RawOptions raw_diff;
    const CLI::App& diff_app = diff::add_subcommand(app, raw_diff);
    predict::RawOptions raw_predict;
    const CLI::App& predict_app = predict::add_subcommand(app, raw_predict);
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return app.help();
    } catch (const CLI::CallForVersion& version) {
        return std::string(version.what()) + "\n";
    } catch (const CLI::ParseError& error) {
        throw_usage(app, error, argc, argv);
    }
    if (!app.get_subcommands().empty()) require_no_training_options(app);
    if (allreduce_app.parsed()) return allreduce::finish(raw_allreduce);
    if (report_app.parsed()) return report_request;
    if (diff_app.parsed()) return diff::finish(raw_diff);
    if (predict_app.parsed()) return predict::finish(raw_predict);
    if (!raw.resume.empty()) return resume(app, raw, request);
    raw.scaling_given = app.count("--scaling") != 0;
    request.report = !raw.no_report;
    request.arguments = without_folder({argv + 1, argv + argc});
    request.working_directory = std::filesystem::current_path();
    finish(raw, request);
    return request;
}

}  // namespace dp::experiments
