// The settings' table itself.
#include "core/data/dataset_table.hpp"
#include "core/nn/model.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/setting_values.hpp"

namespace dp::experiments {
namespace {

using enum Effect;
using enum Compared;

std::string names_of(auto rows) {
    std::string text;
    for (const auto& row : rows) text += fmt::format("{}{}", text.empty() ? "" : ", ", row.name);
    return text;
}

std::string models() { return names_of(core::models()); }
std::string datasets() { return names_of(core::datasets()); }

std::string reductions() {
    std::string text;
    for (const Mode& mode : modes()) {
        for (const core::ExchangeTraits& row : mode.reductions()) {
            text += fmt::format(";\n{} {}: {}", mode.name, row.name, row.description);
        }
    }
    return text.substr(2) + ";\nall: each of the modes'";
}

std::string on_or_off() { return "on or off"; }

std::string bindings() {
    return "none: the kernel moves them; close: neighbouring cores, one worker a core before two "
           "share one; spread: as far apart as packages, memory nodes and caches let them; or CPUs "
           "as taskset has them, 0,2-3, for the workers in this order and round again";
}

constexpr double kAny = 1e30;  // of numbers without an upper bound
constexpr double kMostBytes = 1e18;

// clang-format off
constexpr std::array kSettings{
    setting({.name = "mode", .meaning = "programming model", .effect = kBoth, .column = 1},
            [](auto& run) -> auto& { return run.config.mode; }),
    setting({.name = "workers", .meaning = "ranks; of `serial`, virtual ones played in turn",
             .effect = kBoth, .column = 2, .low = 1, .high = kMaxWorkers},
            [](auto& run) -> auto& { return run.config.workers; }),
    setting({.name = "threads_per_worker",
             .meaning = "ranks in each process of modes hybrid and hybrid-mpi, whose -n counts "
                        "processes; the size of the groups that serial adds with --reduction "
                        "grouped",
             .effect = kBoth, .compared = kInPairs, .option = "--threads-per-worker",
             .usual = "2 where it counts", .low = 1, .high = kMaxWorkers},
            [](auto& run) -> auto& { return run.config.threads_per_worker; }),
    setting({.name = "shards",
             .meaning = "parts of a global batch, a power of two and a multiple of N, which N "
                        "workers share and each play in turn; their gradients are added in one "
                        "tree, so that every N ends with the same bits",
             .title = "shards", .effect = kBoth, .compared = kEverywhere, .column = 20,
             .option = "--shards", .usual = "one for each worker", .low = 1, .high = kMaxWorkers},
            [](auto& run) -> auto& { return run.config.shards; }),
    setting({.name = "scaling", .meaning = "how the work follows from N, the worker count",
             .title = "scaling", .effect = kSpeed, .compared = kEverywhere, .column = 3,
             .option = "--scaling", .group = ""},
            [](auto& run) -> auto& { return run.scaling; }),
    setting({.name = "oversubscribed", .meaning = "more workers than usable CPUs",
             .effect = kSpeed, .compared = kInPairs, .column = 19},
            [](auto& run) -> auto& { return run.oversubscribed; }),
    setting({.name = "model", .meaning = "network", .title = "network",
             .effect = kBoth, .compared = kEverywhere, .column = 4,
             .option = "--model", .usual = "the data set's", .choices = models},
            [](auto& run) -> auto& { return run.config.model; }),
    setting({.name = "dataset", .meaning = "data set", .title = "data set",
             .effect = kBoth, .compared = kEverywhere, .column = 5,
             .option = "--dataset", .group = "Data", .choices = datasets},
            [](auto& run) -> auto& { return run.config.dataset; }),
    setting({.name = "data_source",
             .meaning = "the folder the images came from, or how they were made",
             .title = "its source", .effect = kBits, .compared = kInPairs},
            [](auto& run) -> auto& { return run.data.source; }),
    setting({.name = "training_images", .meaning = "in the data set", .unit = "images",
             .title = "training images", .effect = kBoth, .compared = kEverywhere,
             .high = kMostBytes},
            [](auto& run) -> auto& { return run.data.training_images; }),
    setting({.name = "test_images", .meaning = "in the data set", .unit = "images",
             .title = "test images", .compared = kEverywhere, .high = kMostBytes},
            [](auto& run) -> auto& { return run.data.test_images; }),
    setting({.name = "data_bytes",
             .meaning = "of all images and labels in memory, which all ranks share",
             .unit = "bytes", .high = kMostBytes},
            [](auto& run) -> auto& { return run.data.bytes; }),
    setting({.name = "data_digest",
             .meaning = "of every pixel and label, 16 hexadecimal digits: equal where the data is",
             .title = "its digest", .effect = kBits, .compared = kInPairs},
            [](auto& run) -> auto& { return run.data.digest; }),
    setting({.name = "epochs",
             .meaning = "passes over the training set; 0 only evaluates (with `--load`)",
             .title = "epochs", .effect = kBoth, .compared = kEverywhere, .column = 17,
             .option = "--epochs"},
            [](auto& run) -> auto& { return run.config.epochs; }),
    setting({.name = "steps_limit", .meaning = "steps after which an epoch ends", .unit = "steps",
             .title = "steps an epoch, at most", .effect = kBoth, .compared = kEverywhere,
             .column = 18, .option = "--steps", .usual = "all"},
            [](auto& run) -> auto& { return run.config.steps_limit; }),
    setting({.name = "batch_size", .meaning = "images per worker, or shard, and step", .unit = "images",
             .title = "images per worker, or shard, and step", .effect = kBoth, .compared = kEverywhere,
             .column = 6, .option = "--batch-size", .low = 1, .high = 1e6},
            [](auto& run) -> auto& { return run.config.batch_size; }),
    setting({.name = "effective_batch", .meaning = "images per step over all workers",
             .unit = "images", .column = 7},
            [](auto& run) { return global_batch(run.config); }),
    setting({.name = "optimizer", .meaning = "what updates the parameters", .title = "optimizer",
             .effect = kBoth, .compared = kEverywhere, .column = 8,
             .option = "--optimizer", .choices = core::optimizer_names},
            [](auto& run) -> auto& { return run.config.optimizer.name; }),
    setting({.name = "learning_rate", .meaning = "learning rate", .title = "learning rate",
             .effect = kBits, .compared = kEverywhere, .column = 9,
             .option = "--lr", .usual = "sgd 0.01, adam 0.001", .high = kAny},
            [](auto& run) -> auto& { return run.config.optimizer.learning_rate; }),
    setting({.name = "momentum", .meaning = "momentum of sgd", .title = "momentum",
             .effect = kBoth, .compared = kEverywhere, .option = "--momentum", .high = 1},
            [](auto& run) -> auto& { return run.config.optimizer.momentum; }),
    setting({.name = "weight_decay", .meaning = "weight decay", .title = "weight decay",
             .effect = kBoth, .compared = kEverywhere,
             .option = "--weight-decay", .usual = "sgd 1e-4, adam 0", .high = kAny},
            [](auto& run) -> auto& { return run.config.optimizer.weight_decay; }),
    setting({.name = "convolution", .meaning = "algorithm of 3x3 convolutions",
             .title = "3x3 convolutions", .effect = kBoth, .compared = kEverywhere, .column = 13,
             .option = "--convolution"},
            [](auto& run) -> auto& { return run.config.network.convolution; }),
    setting({.name = "precision", .meaning = "arithmetic of the layers", .title = "precision",
             .effect = kBoth, .compared = kEverywhere, .column = 14, .option = "--precision"},
            [](auto& run) -> auto& { return run.config.network.precision; }),
    setting({.name = "dropout", .meaning = "probability of zeroing a unit in dropout layers",
             .title = "dropout", .effect = kBoth, .compared = kEverywhere,
             .option = "--dropout", .high = 0.99},
            [](auto& run) -> auto& { return run.config.dropout; }),
    setting({.name = "augment", .meaning = "random crops and flips", .title = "augmentation",
             .effect = kBoth, .compared = kEverywhere,
             .option = "--augment", .group = "Data", .flag = true},
            [](auto& run) -> auto& { return run.config.augment; }),
    setting({.name = "shuffle", .meaning = "a new order of the images in each epoch",
             .effect = kBoth, .compared = kEverywhere, .option = "--no-shuffle", .group = "Data",
             .help = "keep the data's order", .flag = true},
            [](auto& run) -> auto& { return run.config.shuffle; }),
    setting({.name = "seed", .meaning = "seed of parameters, order, dropout and synthetic data",
             .title = "seed", .effect = kBits, .compared = kEverywhere, .column = 15,
             .option = "--seed"},
            [](auto& run) -> auto& { return run.config.seed; }),
    setting({.name = "bucket_kib",
             .meaning = "gradients are exchanged in buckets of at least this size; 0: one per "
                        "tensor",
             .unit = "KiB", .title = "buckets of at least, KiB",
             .effect = kBoth, .compared = kEverywhere, .column = 11, .option = "--bucket-kib"},
            [](auto& run) -> auto& { return run.config.bucket_kib; }),
    setting({.name = "reduction",
             .meaning = "how gradients are summed over the ranks; the first of a mode is its "
                        "default",
             .effect = kSpeed, .compared = kInPairs, .column = 10,
             .option = "--reduction", .value_name = "NAME[,NAME...]", .choices = reductions},
            [](auto& run) -> auto& { return run.config.reduction; }),
    setting({.name = "overlap", .meaning = "the exchange advances during backward",
             .title = "exchange overlaps backward",
             .effect = kSpeed, .compared = kEverywhere, .column = 12,
             .option = "--overlap", .choices = on_or_off},
            [](auto& run) -> auto& { return run.config.overlap; }),
    setting({.name = "update",
             .meaning = "what a rank updates that has parameters of its own",
             .effect = kSpeed, .compared = kInPairs, .column = 23, .option = "--update"},
            [](auto& run) -> auto& { return run.config.update; }),
    setting({.name = "inject", .meaning = "a fault for tests and exercises",
             .title = "injected fault", .effect = kSpeed, .compared = kEverywhere, .column = 16,
             .option = "--inject", .value_name = "SPEC", .choices = injection_help},
            [](auto& run) -> auto& { return run.config.delay; }),
    setting({.name = "trace_steps",
             .meaning = "steps of the first epoch that `--trace` records, counted from 1",
             .effect = kSpeed, .compared = kInPairs,
             .option = "--trace-steps", .group = "Files", .value_name = "A[-B]",
             .usual = "11-13, or the last three of a shorter epoch"},
            [](auto& run) -> auto& { return run.config.trace; }),
    setting({.name = "timeout_seconds", .meaning = "longest wait for a worker that is late",
             .unit = "s", .compared = kInPairs, .option = "--timeout", .low = 0.1},
            [](auto& run) -> auto& { return run.config.timeout_seconds; }),
    setting({.name = "wait", .meaning = "how ranks wait for each other", .title = "waits",
             .effect = kSpeed, .compared = kEverywhere, .column = 21, .option = "--wait"},
            [](auto& run) -> auto& { return run.config.wait; }),
    setting({.name = "bind",
             .meaning = "CPUs that workers are bound to: none, close, spread or a list of them",
             .title = "binding of workers to CPUs",
             .effect = kSpeed, .compared = kEverywhere, .column = 22,
             .option = "--bind", .value_name = "none|close|spread|LIST",
             .help = "bind each worker to a CPU of its own", .choices = bindings},
            [](auto& run) -> auto& { return run.config.bind; }),
    setting({.name = "mpi_run",
             .meaning = "command that starts the ranks of mode mpi, before `-n N` and the program",
             .effect = kSpeed, .compared = kInPairs,
             .option = "--mpi-run", .group = "", .value_name = "COMMAND",
             .usual = "mpirun on this machine"},
            [](auto& run) -> auto& { return run.config.mpi_run; }),
    setting({.name = "load",
             .meaning = "checkpoint that the parameters start from (safetensors)",
             .effect = kBits, .compared = kEverywhere,
             .option = "--load", .group = "Files", .value_name = "FILE"},
            [](auto& run) -> auto& { return run.config.load; }),
    setting({.name = "save",
             .meaning = "file to write the final parameters to (safetensors)",
             .option = "--save", .group = "Files", .value_name = "FILE"},
            [](auto& run) -> auto& { return run.config.save; }),
};
// clang-format on

}  // namespace

std::span<const Setting> settings() { return kSettings; }

}  // namespace dp::experiments
