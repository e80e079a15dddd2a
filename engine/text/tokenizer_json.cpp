// SPDX-License-Identifier: Apache-2.0
#include "engine/text/tokenizer_json.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/json_record.h"
#include "engine/text/pattern_json.h"
#include "engine/text/pipeline_tokenizer.h"

#include <algorithm>

namespace fkv::text {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxFile = 100U << 20;
constexpr std::size_t kMostMerges = 1U << 23;
constexpr std::size_t kMostAdded = 1U << 17;
constexpr std::size_t kLongestAdded = 4096;

class Reader {
public:
    Reader(const Json& json, const std::string& where) : m_file(json, where) {}

    Pipeline read(const SpecialTokens& special) {
        readModel();
        readAdded();
        if (m_file.has("normalizer")) m_out.normalizer = Normalizer(m_file.object("normalizer"));
        if (m_file.has("pre_tokenizer"))
            m_out.preTokenizer = PreTokenizer(m_file.object("pre_tokenizer"));
        m_out.options.byteLevel = m_out.preTokenizer.byteLevel();
        m_out.kind = m_out.options.byteLevel ? "byte-level BPE" : "BPE";
        if (m_file.has("decoder")) m_out.decoder = Decoder(m_file.object("decoder"));
        if (m_file.has("post_processor")) readPrefix(m_file.object("post_processor"), 0);
        applySpecial(special);
        return std::move(m_out);
    }

private:
    [[noreturn]] static void unsupported(const io::JsonRecord& from, const std::string& what) {
        throw Error(ErrorCode::Unsupported, from.where() + ": " + what);
    }
    static std::string quoted(std::string_view token) {
        return '"' + std::string(token.substr(0, 60)) + '"';
    }
    static bool flag(const io::JsonRecord& from, const char* key) {
        return from.has(key) && from.flag(key);
    }

    void readModel() {
        const io::JsonRecord model = m_file.object("model");
        // Old files have no type; a model with merges is a BPE.
        const std::string type = model.has("type") ? model.text("type") : "BPE";
        if (type != "BPE")
            unsupported(model, "a tokenizer of the type " + type + ", this program reads BPE");
        for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
            if (model.has(key) && !model.text(key).empty())
                unsupported(model, std::string(key) + " is set, which this program does not know");
        if (model.has("dropout") && model.number("dropout") != 0.0)
            unsupported(model, "dropout is set: the same text would give other tokens every time");
        readVocabulary(model);
        readMerges(model);
        BpeOptions& options = m_out.options;
        options.ignoreMerges = flag(model, "ignore_merges");
        options.byteFallback = flag(model, "byte_fallback");
        options.fuseUnknown = flag(model, "fuse_unk");
        if (!model.has("unk_token")) return;
        options.unknown = m_out.vocabulary.find(model.text("unk_token"));
        if (options.unknown < 0)
            model.bad("unk_token " + quoted(model.text("unk_token")) + " is not in the vocabulary");
    }

    void readVocabulary(const io::JsonRecord& model) {
        const Json& vocabulary = model.value("vocab");
        if (!vocabulary.is_object()) model.bad("vocab is not a JSON object");
        if (vocabulary.empty()) model.bad("the vocabulary is empty");
        m_out.vocabulary.reserve(vocabulary.size());
        const std::string where = model.where() + " vocab";
        for (const auto& [spelling, id] : vocabulary.items()) {
            if (!id.is_number_integer())
                throw Error(ErrorCode::BadFile,
                            where + ": the id of " + quoted(spelling) + " is not a whole number");
            m_out.vocabulary.add(id.get<std::int64_t>(), spelling, where);
        }
    }

    void readMerges(const io::JsonRecord& model) {
        const Json& merges = model.value("merges");
        if (!merges.is_array() || merges.size() > kMostMerges)
            model.bad("merges is not a list of at most " + std::to_string(kMostMerges));
        m_out.merges.reserve(merges.size());
        std::string whole;
        for (const Json& merge : merges) {
            const auto rank = static_cast<std::uint32_t>(m_out.merges.size());
            const auto [left, right] = sidesOf(model, merge, rank);
            whole.assign(left).append(right);
            const auto id = [&](std::string_view token) {
                const std::int32_t found = m_out.vocabulary.find(token);
                if (found < 0)
                    model.bad("merge " + std::to_string(rank) + " needs the token " +
                              quoted(token) + ", which is not in the vocabulary");
                return found;
            };
            m_out.merges.push_back({id(left), id(right), {rank, id(whole)}});
        }
    }

    /// `"a b"`, or `["a", "b"]`.
    static std::pair<std::string_view, std::string_view>
    sidesOf(const io::JsonRecord& model, const Json& merge, std::uint32_t rank) {
        if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
            return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
        if (merge.is_string()) {
            const std::string_view text = merge.get_ref<const std::string&>();
            const std::size_t space = text.find(' ');
            if (space != std::string_view::npos &&
                text.find(' ', space + 1) == std::string_view::npos)
                return {text.substr(0, space), text.substr(space + 1)};
        }
        model.bad("merge " + std::to_string(rank) + " is not a pair of tokens");
    }

    void readAdded() {
        if (!m_file.has("added_tokens")) return;
        const std::string where = m_file.where() + " added_tokens";
        for (const io::JsonRecord& token : m_file.list("added_tokens", kMostAdded)) {
            AddedToken added;
            added.content = token.text("content");
            added.id = token.small("id", {0, kMostIds - 1});
            added.singleWord = flag(token, "single_word");
            added.stripLeft = flag(token, "lstrip");
            added.stripRight = flag(token, "rstrip");
            added.special = flag(token, "special");
            added.normalized = token.has("normalized") ? token.flag("normalized") : !added.special;
            if (added.content.size() > kLongestAdded) token.bad("a token is too long");
            m_out.vocabulary.add(added.id, added.content, where);
            m_out.added.push_back(std::move(added));
        }
    }

    /// What the post-processor puts in front of a text.
    void readPrefix(const io::JsonRecord& from, int depth) {
        const std::string type = from.text("type");
        if (depth > 8) from.bad("too many steps");
        if (type == "Sequence") {
            for (const io::JsonRecord& step : from.list("processors", kMostSteps))
                readPrefix(step, depth + 1);
        } else if (type == "TemplateProcessing") {
            readTemplate(from);
        } else if (type == "BertProcessing" || type == "RobertaProcessing") {
            const Json& cls = from.value("cls");
            if (!cls.is_array() || cls.size() != 2 || !cls[1].is_number_integer())
                from.bad("cls is not a token and its id");
            putInFront({checkedId(from, cls[1].get<std::int64_t>())});
        } else if (type != "ByteLevel") {
            unsupported(from, "the post-processor " + type + " is not one that this program knows");
        }
    }

    void readTemplate(const io::JsonRecord& from) {
        std::vector<std::int32_t> ids;
        for (const io::JsonRecord& item : from.list("single", kMostSteps)) {
            if (item.has("Sequence")) break;
            const std::string name = item.object("SpecialToken").text("id");
            const io::JsonRecord token = from.object("special_tokens").object(name.c_str());
            const Json& list = token.value("ids");
            if (!list.is_array() || list.size() > kMostSteps) token.bad("ids is not a short list");
            for (const Json& id : list) {
                if (!id.is_number_integer()) token.bad("ids holds something that is not an id");
                ids.push_back(checkedId(token, id.get<std::int64_t>()));
            }
        }
        putInFront(ids);
    }

    /// A later step puts its tokens in front of those of the steps before.
    void putInFront(const std::vector<std::int32_t>& ids) {
        m_out.prefix.insert(m_out.prefix.begin(), ids.begin(), ids.end());
    }

    std::int32_t checkedId(const io::JsonRecord& from, std::int64_t id) const {
        if (id < 0 || id >= m_out.vocabulary.size() ||
            !m_out.vocabulary.has(static_cast<std::int32_t>(id)))
            from.bad("the token id " + std::to_string(id) + " is not in the vocabulary");
        return static_cast<std::int32_t>(id);
    }

    void applySpecial(const SpecialTokens& special) {
        m_out.bos = m_out.vocabulary.find(special.bos);
        if (special.bos.empty() || m_out.bos < 0)
            m_out.bos = m_out.prefix.empty() ? -1 : m_out.prefix.front();
        m_out.eos = special.eos.empty() ? -1 : m_out.vocabulary.find(special.eos);
        m_out.addsBos = special.addBos.value_or(!m_out.prefix.empty()) && m_out.bos >= 0;
        if (m_out.prefix.empty() && m_out.bos >= 0) m_out.prefix = {m_out.bos};
    }

    io::JsonRecord m_file;
    Pipeline m_out;
};

} // namespace

std::unique_ptr<Tokenizer> parseTokenizerJson(std::string_view json, const std::string& where,
                                              const SpecialTokens& special) {
    const Json parsed = io::parseJson(json, where, {kMaxFile, 64, true});
    return makePipelineTokenizer(Reader(parsed, where).read(special));
}

std::unique_ptr<Tokenizer> openTokenizerJson(const std::filesystem::path& file,
                                             const SpecialTokens& special) {
    return parseTokenizerJson(io::readText(file, kMaxFile), file.string(), special);
}

} // namespace fkv::text
