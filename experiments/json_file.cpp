#include "experiments/json_file.hpp"

#include <nlohmann/json.hpp>

#include "core/base/whole_file.hpp"

namespace dp::experiments {

void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& document) {
    core::WholeFile out(file);
    const std::string text = document.dump(2) + "\n";
    out.write(std::as_bytes(std::span(text)));
    out.commit();
}

}  // namespace dp::experiments
