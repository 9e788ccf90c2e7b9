// The settings' table: every row reads what it writes, from JSON and from text.
#include "experiments/options/settings.hpp"

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using experiments::RunSettings;
using experiments::Setting;
using experiments::ValueKind;
using Json = nlohmann::ordered_json;

namespace {

/// A value that is not the default.
Json another_value(const Setting& row) {
    const Json usual = row.write({});
    switch (row.kind) {
        case ValueKind::kSwitch:
            return !usual.get<bool>();
        case ValueKind::kWhole:
            return usual.is_null() ? 7U : usual.get<std::uint64_t>() + 1;
        case ValueKind::kNumber:
            return row.low + usual.get<double>() / 2;
        default:
            if (row.words != nullptr) return row.words().back();
            if (row.name == "inject") return "delay:rank=1,ms=2.5,phase=backward";
            return row.name == "trace_steps" ? "2-3" : "adam";
    }
}

RunSettings read_config(const Json& json) { return json.get<RunSettings>(); }

}  // namespace

TEST_CASE("every setting is written as it was read, and changes no other") {
    const Json usual = RunSettings();
    for (const Setting& row : experiments::settings()) {
        if (row.read == nullptr) continue;
        INFO(row.name);
        Json wanted = usual;
        wanted[row.name] = another_value(row);
        REQUIRE(wanted.at(row.name) != usual.at(row.name));
        Json written = read_config(wanted);
        if (row.name == "workers" || row.name == "shards" || row.name == "batch_size") {
            CHECK(written.at("effective_batch") != usual.at("effective_batch"));
            written["effective_batch"] = usual.at("effective_batch");
        }
        CHECK(written == wanted);
    }
}

TEST_CASE("an option's text sets what the same value in a file sets") {
    for (const Setting& row : experiments::settings()) {
        if (row.option.empty()) continue;
        INFO(row.name);
        const Json value = another_value(row);
        const RunSettings from_file = read_config({{row.name, value}});
        const std::string option = experiments::option_text(row, from_file);
        RunSettings from_text;
        experiments::set_from_text(
            row, option.substr(std::min(option.size(), row.option.size() + 1)), from_text);
        CHECK(row.write(from_text) == value);
        CHECK_FALSE(experiments::help_of(row).empty());
    }
}

TEST_CASE("a value of another type or out of range is refused by its name") {
    const auto refused = [](const Json& config) {
        const auto error = tests::error_of([&] { read_config(config); });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kData);
        return std::string(error->what());
    };
    for (const Setting& row : experiments::settings()) {
        if (row.read == nullptr) continue;
        INFO(row.name);
        CHECK(tests::holds(refused({{row.name, Json::array()}}), std::string(row.name)));
    }
    CHECK(tests::holds(refused({{"workers", 0}}), "config.workers 0 is not a whole number from 1"));
    CHECK(tests::holds(refused({{"batch_size", -1}}), "batch_size"));
    CHECK(tests::holds(refused({{"dropout", 2.0}}), "from 0 to 0.99"));
    CHECK(tests::holds(refused({{"precision", "fp8"}}), "choose one of fp32, bf16"));
    CHECK(tests::holds(refused({{"inject", "crash"}}), "delay:"));
}

TEST_CASE("what a file does not tell is as it was before the setting existed") {
    const RunSettings run = read_config({{"workers", 3}});
    CHECK(run.config.workers == 3);
    CHECK(Json(run).at("bucket_kib") == Json(RunSettings()).at("bucket_kib"));
}

TEST_CASE("the settings that were changed are those that differ from the optimizer's defaults") {
    RunSettings run;
    run.config.optimizer = core::OptimizerConfig::defaults("adam");
    run.config.overlap = false;
    std::string text;
    for (const Setting* row : experiments::changed_settings(run)) {
        text += experiments::option_text(*row, run) + " ";
    }
    CHECK(text == "--optimizer adam --overlap off ");
}
