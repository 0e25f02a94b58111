"""WeCom smart bots (智能机器人) in URL mode: JSON callbacks in, answers that WeCom polls for out."""
