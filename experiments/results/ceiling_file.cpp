#include "experiments/results/ceiling_file.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

Ceiling read_ceiling(const fs::path& file) try {
    const Json document = read_json(file);
    const std::string schema = document.at("schema");
    if (schema != kCeilingSchema) {
        throw Error(ExitCode::kData,
                    "{}: schema {} is not {}: read it with the dp_compare that wrote it",
                    file.string(), schema, kCeilingSchema);
    }
    Ceiling ceiling;
    document.at("workers").get_to(ceiling.workers);
    document.at("repetition").get_to(ceiling.repetition);
    document.at("started").get_to(ceiling.started);
    document.at("batch_size").get_to(ceiling.batch_size);
    document.at("images_per_second").get_to(ceiling.images_per_second);
    document.at("conditions").get_to(ceiling.conditions);
    if (ceiling.images_per_second.size() != ceiling.workers ||
        std::ranges::any_of(ceiling.images_per_second, [](double rate) { return rate <= 0.0; })) {
        throw Error(ExitCode::kData,
                    "{}: images_per_second is {}, which {} runs have not: remove it", file.string(),
                    document.at("images_per_second").dump(), ceiling.workers);
    }
    return ceiling;
} catch (const Json::exception& error) {
    throw Error(ExitCode::kData, "{} is not a ceiling's file ({}): remove it", file.string(),
                error.what());
}

}  // namespace

double Ceiling::total_images_per_second() const {
    return std::accumulate(images_per_second.begin(), images_per_second.end(), 0.0);
}

std::string ceiling_file_name(std::size_t workers, std::size_t repetition) {
    return fmt::format("ceiling-n{}-r{}.json", workers, repetition);
}

bool is_ceiling_file(std::string_view name) {
    return name.starts_with("ceiling-") && name.ends_with(".json");
}

void write_ceiling(const fs::path& folder, const Ceiling& ceiling) {
    write_json(folder / ceiling_file_name(ceiling.workers, ceiling.repetition),
               {{"schema", kCeilingSchema},
                {"workers", ceiling.workers},
                {"repetition", ceiling.repetition},
                {"started", ceiling.started},
                {"batch_size", ceiling.batch_size},
                {"images_per_second", ceiling.images_per_second},
                {"conditions", ceiling.conditions}});
}

std::vector<Ceiling> read_ceilings(const fs::path& folder) {
    std::vector<Ceiling> all;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
        if (is_ceiling_file(entry.path().filename().string())) {
            all.push_back(read_ceiling(entry.path()));
        }
    }
    std::ranges::sort(
        all, {}, [](const Ceiling& each) { return std::tuple(each.workers, each.repetition); });
    return all;
}

}  // namespace dp::experiments
