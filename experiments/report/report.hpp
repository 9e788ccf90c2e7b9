// `dp_compare report`: a folder of results as report.html, report.md, summary.json and plots.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/analysis/analysis.hpp"
#include "experiments/report/document.hpp"

namespace dp::experiments::report {

/// What `dp_compare report` is asked.
struct Request {
    std::filesystem::path folder;
    bool skeleton = false;  // make_skeleton()
};

/// What write_report() wrote.
struct Written {
    std::filesystem::path html, markdown, summary;
    std::vector<std::string> findings;  // sentences that matter most
};

/// Analyses `folder` and writes the report into it, each file whole, over an earlier report; run
/// files stay as they are. Without gnuplot it has no plots and says so once, on stderr. Throws what
/// analyse() throws, Error(kData) when a file cannot be written, Error(kInterrupted or kTerminated)
/// on SIGINT or SIGTERM. Starts processes (gnuplot); uses neither OpenMP nor oneDNN.
Written write_report(const std::filesystem::path& folder);

/// The report as a document.
Document make_document(const analysis::Analysis& analysis, std::span<const Figure> figures);

/// Writes empty files for the sections that a reader writes, "Discussion" and "Conclusion", into
/// `folder`, where there are none. Throws Error(kData) when one cannot be written.
void make_skeleton(const std::filesystem::path& folder);

/// Adds those of `folder` that have a file, each with its text; an empty one says where that goes.
void add_own_sections(Document& document, const std::filesystem::path& folder);

/// Prints on stdout where the report is.
void print_written(const Written& written);

/// `dp_compare report`: writes the report, and prints what it found and where it is.
void run_report(const Request& request);

/// Whether a file of this name in a folder of results is one that write_report() wrote beside
/// kPlotsFolder.
bool is_report_file(std::string_view name);

/// Whether write_report() has written into `folder`.
bool has_report(const std::filesystem::path& folder);

}  // namespace dp::experiments::report
