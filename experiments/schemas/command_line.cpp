#include "experiments/schemas/command_line.hpp"

#include "core/base/join.hpp"
#include "experiments/schemas/documents.hpp"

namespace dp::experiments::schemas {

void add_subcommands(CLI::App& program, RawOptions& raw) {
    const std::string names = core::join(fields_texts(), ", ", &FieldsText::name);
    program.add_subcommand("schema", "Print the JSON Schema of a kind of file: " + names)
        ->add_option("NAME", raw.schema, "The kind of file")
        ->required();
    program
        .add_subcommand("fields",
                        "Print what the fields of a kind of file mean: runs.csv, "
                        "epochs.csv or one that has a schema")
        ->add_option("NAME", raw.fields, "The kind of file")
        ->required();
}

std::string answer(const RawOptions& raw) {
    if (!raw.schema.empty()) return schema_text(read_document(raw.schema));
    return raw.fields.empty() ? "" : fields_text(raw.fields);
}

}  // namespace dp::experiments::schemas
