// Checkpoints between modes.
#include <filesystem>
#include <fstream>

#include <omp.h>
#include <nlohmann/json.hpp>

#include "core/base/memory_block.hpp"
#include "core/nn/initial_parameters.hpp"

#include "core/checkpoint/checkpoint.hpp"
#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/modes.hpp"
#include "tests/support/paths.hpp"

using namespace dp;

namespace {

/// The header of a safetensors file without its metadata.
nlohmann::ordered_json header_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::uint64_t length = 0;
    in.read(reinterpret_cast<char*>(&length), sizeof(length));
    std::string text(length, '\0');
    in.read(text.data(), static_cast<std::streamsize>(length));
    auto header = nlohmann::ordered_json::parse(text);
    header.erase("__metadata__");
    return header;
}

}  // namespace

TEST_CASE("a checkpoint saved by any mode evaluates to the same bits in every mode") {
    const tests::TemporaryFolder folder;
    const core::Dataset data = core::make_synthetic(1, 96, 50);
    for (const experiments::Mode& writer : tests::forked_modes()) {
        core::RunConfig config = tests::small_config(std::string(writer.name), 2);
        config.save = folder.path() / (config.mode + ".safetensors");
        const core::RunResult saved = experiments::run_job(tests::make_job(config, data));
        const core::StateDict state = core::load_checkpoint(config.save);
        // 96 images in batches of 16 are 6 steps, shared by 2 ranks 3, in 2 epochs.
        CHECK(state.batches_tracked == (writer.one_replica ? 12 : 6));

        for (const experiments::Mode& reader : tests::forked_modes()) {
            INFO("saved by " << writer.name << " and loaded by " << reader.name);
            core::RunConfig evaluate = tests::small_config(std::string(reader.name), 2);
            evaluate.epochs = 0;
            evaluate.load = config.save;
            core::Job job = tests::make_job(evaluate, data);
            job.initial = &state;
            const core::RunResult loaded = experiments::run_job(job);
            CHECK(loaded.test_loss == saved.test_loss);
            CHECK(loaded.test_accuracy == saved.test_accuracy);
            CHECK(loaded.checksum == saved.checksum);
        }
    }
}

TEST_CASE("a run's checkpoint has the header that PyTorch's state_dict has") {
    const tests::TemporaryFolder folder;
    const core::Dataset data = core::make_synthetic(1, 32, 10);
    core::RunConfig config = tests::small_config("threads", 2);
    config.save = folder.path() / "threads.safetensors";
    experiments::run_job(tests::make_job(config, data));
    std::ifstream stored(dp::tests::data_dir() / "cifar_cnn_header.json");
    CHECK(header_of(config.save) == nlohmann::ordered_json::parse(stored));
}

TEST_CASE("zero steps save the initial parameters") {
    const tests::TemporaryFolder folder;
    const core::Dataset data = core::make_synthetic(1, 32, 10);
    core::RunConfig config = tests::small_config("procs", 2);
    config.steps_limit = 0;
    config.save = folder.path() / "initial.safetensors";
    experiments::run_job(tests::make_job(config, data));
    const core::StateDict state = core::load_checkpoint(config.save);
    const core::NamedTensor* variance = state.find("bn1.running_var");
    REQUIRE(variance != nullptr);
    CHECK(variance->values == std::vector<float>(32, 1.F));
    CHECK(state.batches_tracked == 0);

    omp_set_num_threads(1);  // after the forks
    const core::NetworkLayout layout = core::plan_layout(core::find_model("cifar_cnn"), 16);
    const core::FloatBlock block(layout.parameters.size());
    core::fill_initial_parameters(layout.parameters, config.seed, block.span());
    for (std::size_t i = 0; i < layout.parameters.tensors().size(); ++i) {
        const core::NamedTensor expected = layout.parameters.to_plain(block.span(), i);
        CHECK(state.find(expected.name)->values == expected.values);
    }
}

TEST_CASE("a checkpoint of another network is refused by name in every mode") {
    const tests::TemporaryFolder folder;
    const core::Dataset data = core::make_synthetic(1, 32, 10);
    core::RunConfig config = tests::small_config("serial", 1);
    config.model = "simple_cnn";
    config.save = folder.path() / "simple.safetensors";
    experiments::run_job(tests::make_job(config, data));
    const core::StateDict state = core::load_checkpoint(config.save);
    for (const experiments::Mode& mode : tests::forked_modes()) {
        core::RunConfig other = tests::small_config(std::string(mode.name), 2);
        other.load = config.save;
        core::Job job = tests::make_job(other, data);
        job.initial = &state;
        CHECK(tests::holds(tests::data_error_of([&] { experiments::run_job(job); }),
                           "simple.safetensors"));
    }
}
