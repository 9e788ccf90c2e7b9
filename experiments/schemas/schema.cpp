// A document's fields as a JSON Schema.
#include <algorithm>

#include <fmt/format.h>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <nlohmann/json.hpp>

#include "experiments/modes.hpp"
#include "experiments/options/run_settings.hpp"
#include "experiments/schemas/documents.hpp"

namespace dp::experiments::schemas {
namespace {

using Json = nlohmann::ordered_json;

/// Takes the last word of `text` off when `matches` it; empty otherwise.
std::string take_last_word(std::string& text, const auto& matches) {
    const std::size_t space = text.rfind(' ');
    if (space == std::string::npos || !matches(text.substr(space + 1))) return {};
    std::string word = text.substr(space + 1);
    text.erase(space);
    return word;
}

std::vector<std::string> split(const std::string& text, const char* separators) {
    std::vector<std::string> words;
    boost::split(words, text, boost::is_any_of(separators));
    return words;
}

/// "fp32" as text, "8" and "true" as what they are.
Json value_of(const std::string& text) {
    return Json::accept(text) ? Json::parse(text) : Json(text);
}

const char* type_of(const Json& value) {
    if (value.is_boolean()) return "boolean";
    return value.is_number_integer() ? "integer" : "string";
}

std::vector<std::string> words_of(const std::string& name) {
    std::vector<std::string> words;
    const auto add = [&](std::string_view word) {
        if (std::ranges::find(words, word) == words.end()) words.emplace_back(word);
    };
    if (name == "@scaling") {
        for (const auto& row : kScalings) add(row.name);
        return words;
    }
    for (const Mode& mode : modes()) {
        if (name == "@modes") {
            add(mode.name);
            continue;
        }
        for (const auto& row : mode.reductions()) add(row.name);
    }
    return words;
}

Json one_of(const std::vector<std::string>& words, bool nullable) {
    Json values = Json::array();
    for (const std::string& word : words) values.push_back(value_of(word));
    Json schema{{"type", type_of(values.front())}, {"enum", values}};
    if (nullable) schema["enum"].push_back(nullptr);
    return schema;
}

Json base_schema(const std::string& type, bool nullable) {
    if (type == "whole") return {{"type", "integer"}, {"minimum", 0}};
    if (type == "count") return {{"type", "integer"}, {"minimum", 1}};
    if (type == "amount") return {{"type", "number"}, {"minimum", 0}};
    if (type == "positive") return {{"type", "number"}, {"exclusiveMinimum", 0}};
    if (type == "share") return {{"type", "number"}, {"minimum", 0}, {"maximum", 1}};
    if (type == "map") return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
    if (type == "utc") {
        return {{"type", "string"},
                {"pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}};
    }
    if (type == "object") {
        return {{"type", "object"},
                {"additionalProperties", false},
                {"required", Json::array()},
                {"properties", Json::object()}};
    }
    if (type.starts_with('=')) {
        const Json value = value_of(type.substr(1));
        return {{"type", type_of(value)}, {"const", value}};
    }
    if (type.starts_with('/')) {
        return {{"type", "string"}, {"pattern", type.substr(1, type.size() - 2)}};
    }
    if (type == "@modes" || type == "@reductions" || type == "@scaling") {
        return one_of(words_of(type), nullable);
    }
    if (type.starts_with('@')) return {{"$ref", type.substr(1) + ".schema.json"}};
    if (type.find(',') != std::string::npos) return one_of(split(type, ","), nullable);
    return {{"type", type}};
}

void make_nullable(Json& schema) { schema["type"] = {schema["type"], "null"}; }

bool take_mark(std::string& text) {
    if (!text.ends_with('?')) return false;
    text.pop_back();
    return true;
}

Json schema_of_type(std::string type) {
    Json bounds = Json::object();
    const auto is_bound = [](const std::string& word) {
        return word.starts_with('>') || word.starts_with('<');
    };
    for (std::string word; !(word = take_last_word(type, is_bound)).empty();) {
        const bool inclusive = word[1] == '=';
        const char* const name = word[0] == '>' ? (inclusive ? "minimum" : "exclusiveMinimum")
                                                : (inclusive ? "maximum" : "exclusiveMaximum");
        bounds[name] = Json::parse(word.substr(inclusive ? 2 : 1));
    }
    const bool nullable = take_mark(type);
    Json schema = base_schema(type, nullable);
    schema.update(bounds);
    if (nullable) make_nullable(schema);
    return schema;
}

/// The schema of a field, without its description.
Json schema_of(const Field& field, bool& optional) {
    std::string type = field.type;
    optional =
        !take_last_word(type, [](const std::string& word) { return word == "optional"; }).empty();
    std::string list =
        take_last_word(type, [](const std::string& word) { return word.starts_with("[]"); });
    if (list.empty()) return schema_of_type(type);
    const bool nullable = take_mark(list);
    Json schema{{"type", "array"}, {"items", schema_of_type(type)}};
    if (list.size() > 2) schema["minItems"] = schema["maxItems"] = Json::parse(list.substr(2));
    if (nullable) make_nullable(schema);
    return schema;
}

Json& child(Json& object, const std::string& part) {
    if (!part.ends_with("[]")) return object["properties"][part];
    return object["properties"][part.substr(0, part.size() - 2)]["items"];
}

/// At a path as "a.b[].c", in its parts.
Json& object_at(Json& root, const std::vector<std::string>& parts) {
    Json* here = &root;
    for (const std::string& part : parts) here = &child(*here, part);
    return *here;
}

/// One property a line: objects that hold fields, however deep, are opened.
void write(const Json& value, const std::string& indent, std::string& text) {
    const std::string compact = value.dump();
    const bool holds_fields =
        compact.find("\"properties\"") != std::string::npos ||
        std::ranges::any_of(value, [](const Json& each) { return each.contains("description"); });
    if (!value.is_object() || !holds_fields) {
        text += compact;
        return;
    }
    text += "{";
    const char* separator = "\n";
    for (const auto& [key, field] : value.items()) {
        text += fmt::format("{}{}  {}: ", separator, indent, Json(key).dump());
        write(field, indent + "  ", text);
        separator = ",\n";
    }
    text += "\n" + indent + "}";
}

}  // namespace

std::string schema_text(const Document& document) {
    Json root{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", document.title},
              {"description", document.description}};
    root.update(base_schema("object", false));
    // Fields of a document that is a field of others begin with its name.
    const std::string prefix = fmt::format("{}.", document.name);
    for (const Field& field : document.fields) {
        if (field.path.starts_with('#')) continue;
        const bool prefixed = field.path.starts_with(prefix);
        std::vector<std::string> parts =
            split(prefixed ? field.path.substr(prefix.size()) : field.path, ".");
        std::string name = parts.back();
        parts.pop_back();
        if (name.ends_with("[]")) name.resize(name.size() - 2);
        bool optional = false;
        Json property{{"description", field.unit.empty()
                                          ? field.meaning
                                          : fmt::format("{} [{}]", field.meaning, field.unit)}};
        property.update(schema_of(field, optional));
        Json& parent = object_at(root, parts);
        parent["properties"][name] = property;
        if (!optional) parent["required"].push_back(name);
    }
    for (const auto& [path, json] : document.also) {
        (path.empty() ? root : object_at(root, split(path, "."))).update(Json::parse(json));
    }
    std::string text;
    write(root, "", text);
    return text + "\n";
}

}  // namespace dp::experiments::schemas
