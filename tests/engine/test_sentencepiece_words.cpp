// SPDX-License-Identifier: Apache-2.0

// The tokenizer encodes word by word; the library, asked for the whole text, has to agree.

#include "engine/text/sentencepiece_facts.h"
#include "engine/text/sentencepiece_tokenizer.h"

#include "engine/io/json_limits.h"

#include <gtest/gtest.h>
#include <random>
#include <sentencepiece_processor.h>

using namespace fkv;

namespace {

const std::filesystem::path kModel =
    std::filesystem::path(FKV_RESOURCES) / "models/demo/tokenizer.model";

/// Words, runs of spaces, space signs, marks and characters that no piece has.
std::string randomText(std::mt19937& random) {
    static const std::vector<std::string> kParts{
        "the", "mirror", "scarlet", " ",  " ",       "  ", "   ",    "\n",     "\t",
        "▁",   "▁ ",     " ▁",      "é",  "e\u0301", "漢", "😀",      "\u00A0", "\u3000",
        "x",   "7",      ".",       "'s", "<s>",     "ﬁ",  "\u0301", "\u2002", "\x7F"};
    std::string text;
    for (unsigned i = random() % 40; i > 0; --i)
        text += kParts[random() % kParts.size()];
    return text;
}

} // namespace

TEST(SentencePieceWords, AgreeWithTheLibraryOnTheWholeText) {
    sentencepiece::SentencePieceProcessor library;
    ASSERT_TRUE(library.Load(kModel.string()).ok());
    const auto tokenizer = text::openSentencePiece(kModel, true);
    std::mt19937 random(5);
    for (int i = 0; i < 3000; ++i) {
        const std::string text = randomText(random);
        sentencepiece::ImmutableSentencePieceText whole;
        ASSERT_TRUE(library.Encode(text, whole.mutable_proto()).ok());
        const text::Encoding e = tokenizer->encode(text, false);
        ASSERT_EQ(e.ids.size(), whole.pieces_size()) << text;
        for (std::size_t k = 0; k < e.ids.size(); ++k) {
            const auto piece = whole.pieces(static_cast<int>(k));
            ASSERT_EQ(e.ids[k], static_cast<std::int32_t>(piece.id())) << text;
            // Parts of a character carry all of it, where the library gives it to the last one.
            if (tokenizer->piece(e.ids[k]).starts_with("<0x")) continue;
            ASSERT_EQ(e.bytes[k].first, piece.begin()) << text;
            ASSERT_EQ(e.bytes[k].second, piece.end()) << text;
        }
    }
}

TEST(SentencePieceWords, FactsAreReadFromTheFile) {
    const std::string model = io::readText(kModel);
    const text::SentencePieceFacts facts = text::readSentencePieceFacts(model);
    EXPECT_TRUE(facts.bpe);
    EXPECT_TRUE(facts.dummyPrefix);
    EXPECT_FALSE(facts.oneSpaceOnly);
    EXPECT_TRUE(facts.signForSpace);
    EXPECT_FALSE(facts.spaceBehind);
    // No bytes make it read past their end.
    for (std::size_t length = 0; length < 2000; ++length)
        text::readSentencePieceFacts(std::string_view(model).substr(model.size() - length));
    const std::string wild("\x1A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x0B\x12\x80", 14);
    for (std::size_t begin = 0; begin < wild.size(); ++begin)
        text::readSentencePieceFacts(std::string_view(wild).substr(begin));
}
