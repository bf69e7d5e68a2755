"""Crawlers that collect texts and pictures to train models or to sell them on.

Source:  the names are those of github.com/ai-robots-txt/ai.robots.txt (MIT), 2026-11, where its own words say
         training, scraping or data for sale. Not among them: search engines, AI search that names its sources,
         and what fetches a page because a person asked for it.
"""

COLLECTORS = (
    "AI2Bot", "Ai2Bot-Dolma", "aiHitBot", "AIWebIndex", "anthropic-ai", "ApifyBot", "ApifyWebsiteContentCrawler",
    "Applebot-Extended", "Awario", "bedrockbot", "Brightbot", "Bytespider", "CCBot",
    "ChatGLM-Spider", "ClaudeBot", "CloudVertexBot", "cohere-training-data-crawler", "Cotoyogi", "CragCrawler",
    "Crawlspace", "Datenbank Crawler", "DeepSeekBot", "Diffbot", "Echobot Bot", "EchoboxBot", "FacebookBot",
    "Factset_spyderbot", "FirecrawlAgent", "FriendlyCrawler", "Google-CloudVertexBot", "Google-Extended",
    "GoogleOther", "GoogleOther-Image", "GoogleOther-Video", "GPTBot", "HenkBot", "ICC-Crawler", "ImagesiftBot",
    "imageSpider", "img2dataset", "ISSCyberRiskCrawler", "Kangaroo Bot", "laion-huggingface-processor",
    "LAIONDownloader", "LCC", "Lightpanda", "Meta-ExternalAgent", "MyCentralAIScraperBot", "NagetBot",
    "netEstate Imprint Crawler", "newsai", "omgili", "omgilibot", "PanguBot", "Panscient",
    "Poseidon Research Crawler", "SBIntuitionsBot", "Scrapy", "Sidetrade indexer bot", "TavilyBot",
    "TerraCotta", "TikTokSpider", "Timpibot", "VelenPublicWebCrawler", "WARDBot", "Webzio-Extended",
    "YandexAdditional", "YandexAdditionalBot",
)  # fmt: skip
