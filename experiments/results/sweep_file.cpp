#include "experiments/results/sweep_file.hpp"

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {

using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

void write_sweep_file(const std::filesystem::path& folder, const SweepFile& sweep) {
    const Json document{
        {"schema", kSweepSchema},
        {"status", sweep.status},
        {"arguments", sweep.arguments},
        {"working_directory", sweep.working_directory.string()},
        {"started", sweep.started},
        {"ended", sweep.ended.empty() ? Json(nullptr) : Json(sweep.ended)},
        {"planned_runs", sweep.planned_runs},
        {"order", sweep.order},
    };
    write_json(folder / kSweepFileName, document);
}

SweepFile read_sweep_file(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / kSweepFileName;
    if (!std::filesystem::exists(file)) {
        throw Error(ExitCode::kUsage,
                    "--resume {}: there is no {} in it: name the folder that --out gave to a sweep",
                    folder.string(), kSweepFileName);
    }
    try {
        const Json document = read_json(file);
        SweepFile sweep;
        const std::string schema = document.at("schema");
        if (schema != kSweepSchema) {
            throw Error(ExitCode::kData, "{}: schema {} is not {}: start the sweep anew",
                        file.string(), schema, kSweepSchema);
        }
        document.at("status").get_to(sweep.status);
        document.at("arguments").get_to(sweep.arguments);
        sweep.working_directory = document.at("working_directory").get<std::string>();
        document.at("started").get_to(sweep.started);
        document.at("planned_runs").get_to(sweep.planned_runs);
        document.at("order").get_to(sweep.order);
        return sweep;
    } catch (const Json::exception& error) {
        throw Error(ExitCode::kData, "{} is not a sweep's file ({}): start the sweep anew",
                    file.string(), error.what());
    }
}

}  // namespace dp::experiments
