// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/dialogs/about_dialog.h"

#include <QApplication>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QLabel>
#include <QPushButton>
#include <QSysInfo>
#include <QVBoxLayout>

namespace fkv::app {

AboutDialog::AboutDialog(const viz::Theme& theme, const QString& device, QWidget* parent)
    : QDialog(parent) {
    setWindowTitle(tr("About FastKV Scope"));
    m_versions = QStringLiteral("FastKV Scope %1\nQt %2\n%3, %4")
                     .arg(QStringLiteral(FKV_VERSION), QString::fromLatin1(qVersion()),
                          QSysInfo::prettyProductName(), QSysInfo::currentCpuArchitecture());
    if (!device.isEmpty()) m_versions += QLatin1Char('\n') + device;

    auto* rows = new QVBoxLayout(this);
    rows->setSpacing(theme.scaled(10));
    const auto add = [this, rows](const QString& text) {
        auto* label = new QLabel(text, this);
        label->setWordWrap(true);
        label->setTextFormat(Qt::RichText);
        label->setTextInteractionFlags(Qt::TextBrowserInteraction);
        label->setOpenExternalLinks(true);
        rows->addWidget(label);
        return label;
    };
    add(tr("<p style='font-size:large'><b>FastKV Scope</b></p><p>Runs FastKV on a real model and "
           "shows what it does: "
           "which tokens matter at each layer, which pass the TSP layer, what each KV head keeps, "
           "what it costs and what "
           "it saves.</p>"));
    add(m_versions.toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>")));
    add(tr("<p>The method: D. Jo, J. Song, Y. Kim, J.-J. Kim, “FastKV: Decoupling of Context "
           "Reduction and KV Cache "
           "Compression for Prefill-Decoding Acceleration”, <a "
           "href='https://arxiv.org/abs/2502.01068'>arXiv "
           "2502.01068</a>.</p>"));
    add(tr("<p>The window is free software under the GNU General Public License, version 3 or "
           "later; the engine and the demo model under the Apache License 2.0. It comes without "
           "warranty. It uses Qt (LGPL 3), SentencePiece (Apache 2.0), OpenBLAS (BSD), "
           "nlohmann-json (MIT) and CLI11 (BSD). The texts of the samples are in the public "
           "domain.</p>"));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    QPushButton* copy = buttons->addButton(tr("Copy versions"), QDialogButtonBox::ActionRole);
    connect(copy, &QPushButton::clicked, this,
            [this] { QApplication::clipboard()->setText(m_versions); });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    rows->addStretch(1);
    rows->addWidget(buttons);
    setMinimumWidth(theme.scaled(420));
}

} // namespace fkv::app
