#include "experiments/text/files.hpp"

#include <span>

#include <nlohmann/json.hpp>

#include "core/base/whole_file.hpp"

namespace dp::experiments {

void write_text(const std::filesystem::path& file, std::string_view text) {
    core::WholeFile out(file);
    out.write(std::as_bytes(std::span(text)));
    out.commit();
}

void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& document) {
    write_text(file, document.dump(2) + "\n");
}

}  // namespace dp::experiments
