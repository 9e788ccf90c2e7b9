#include "experiments/report/report_file.hpp"

#include <span>

#include "core/base/whole_file.hpp"

namespace dp::experiments::report {

void write_text(const std::filesystem::path& file, std::string_view text) {
    core::WholeFile out(file);
    out.write(std::as_bytes(std::span(text)));
    out.commit();
}

}  // namespace dp::experiments::report
