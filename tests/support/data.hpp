// What the data tests share: a folder that goes away, files of given bytes, and a caught Error.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace dp::tests {

using Bytes = std::vector<std::uint8_t>;

/// A new folder, removed with all in it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "dp_data.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline void write_file(const std::filesystem::path& path, const Bytes& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// The Error that `call` throws, if it throws one.
template <typename Call>
std::optional<core::Error> error_of(Call&& call) {
    try {
        call();
    } catch (const core::Error& error) {
        return error;
    }
    return std::nullopt;
}

/// The error's message where it is a kData error; empty, so that no text is found in it, otherwise.
template <typename Call>
std::string data_error_of(Call&& call) {
    const auto error = error_of(call);
    return error && error->code() == core::ExitCode::kData ? error->what() : std::string();
}

inline bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace dp::tests
