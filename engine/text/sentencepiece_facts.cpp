// SPDX-License-Identifier: Apache-2.0
#include "engine/text/sentencepiece_facts.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace fkv::text {

namespace {

/// One field of a protobuf message.
struct Field {
    std::uint64_t number = 0;
    std::uint64_t value = 0; ///< of a varint
    std::string_view bytes;  ///< of a length-delimited field
};

/// Walks over the fields of a message; ends at the first thing that is none.
class Message {
public:
    explicit Message(std::string_view bytes) : m_rest(bytes) {}

    std::optional<Field> next() {
        const auto key = varint();
        if (!key) return std::nullopt;
        Field field{*key >> 3, 0, {}};
        switch (*key & 7U) {
        case 0: {
            const auto value = varint();
            if (!value) return std::nullopt;
            field.value = *value;
            return field;
        }
        case 1:
            return take(8, field);
        case 2: {
            const auto length = varint();
            if (!length) return std::nullopt;
            return take(*length, field);
        }
        case 5:
            return take(4, field);
        default:
            return std::nullopt;
        }
    }

private:
    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !m_rest.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(m_rest.front());
            m_rest.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80) return value;
        }
        return std::nullopt;
    }
    std::optional<Field> take(std::uint64_t length, Field field) {
        if (length > m_rest.size()) return std::nullopt;
        field.bytes = m_rest.substr(0, static_cast<std::size_t>(length));
        m_rest.remove_prefix(static_cast<std::size_t>(length));
        return field;
    }

    std::string_view m_rest;
};

void readTrainer(std::string_view bytes, SentencePieceFacts& facts) {
    Message message(bytes);
    while (const auto field = message.next()) {
        if (field->number == 3) facts.bpe = field->value == 2;
        if (field->number == 24) facts.spaceBehind = field->value != 0;
    }
}

void readNormalizer(std::string_view bytes, SentencePieceFacts& facts) {
    Message message(bytes);
    while (const auto field = message.next()) {
        if (field->number == 2) facts.changesCharacters = !field->bytes.empty();
        if (field->number == 3) facts.dummyPrefix = field->value != 0;
        if (field->number == 4) facts.oneSpaceOnly = field->value != 0;
        if (field->number == 5) facts.signForSpace = field->value != 0;
    }
}

} // namespace

SentencePieceFacts readSentencePieceFacts(std::string_view model) {
    SentencePieceFacts facts;
    Message message(model);
    while (const auto field = message.next()) {
        if (field->number == 2) readTrainer(field->bytes, facts);
        if (field->number == 3) readNormalizer(field->bytes, facts);
    }
    return facts;
}

} // namespace fkv::text
