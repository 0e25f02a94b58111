"""The names of emoji that Feishu takes as reactions. Facts: Feishu docs, Message reaction › Emoji types."""

SHOWN = {
    "THUMBSUP": "👍",
    "ThumbsDown": "👎",
    "OK": "👌",
    "APPLAUSE": "👏",
    "THANKS": "🙏",
    "MUSCLE": "💪",
    "FISTBUMP": "👊",
    "SHAKE": "🤝",
    "WAVE": "👋",
    "DONE": "✅",
    "CheckMark": "✅",
    "CrossMark": "❌",
    "Hundred": "💯",
    "OneSecond": "⏳",
    "GLANCE": "👀",
    "Fire": "🔥",
    "PARTY": "🎉",
    "GIFT": "🎁",
    "Trophy": "🏆",
    "Pin": "📌",
    "Alarm": "⏰",
    "Loudspeaker": "📢",
    "BOMB": "💣",
    "HEART": "❤️",
    "HEARTBROKEN": "💔",
    "ROSE": "🌹",
    "BEER": "🍺",
    "Coffee": "☕",
    "CAKE": "🎂",
    "Music": "🎵",
    "SMILE": "😄",
    "LAUGH": "😆",
    "LOL": "😂",
    "WINK": "😉",
    "LOVE": "😍",
    "KISS": "😘",
    "HUG": "🤗",
    "THINKING": "🤔",
    "FACEPALM": "🤦",
    "Shrug": "🤷",
    "SHHH": "🤫",
    "WOW": "😮",
    "TERROR": "😱",
    "CRY": "😢",
    "SOB": "😭",
    "ANGRY": "😠",
    "SWEAT": "😅",
    "SLEEP": "😴",
    "SKULL": "💀",
    "POOP": "💩",
}
"""The emoji that the page shows, by name. The page shows the name of any other."""
NAMES = frozenset(SHOWN) | frozenset(
    """
    FINGERHEART JIAYI BLUSH SMIRK PROUD WITTY SMART SCOWL ERROR NOSEPICK HAUGHTY SLAP SPITBLOOD TOASTED DULL
    INNOCENTSMILE JOYFUL TRICK YEAH ENOUGH TEARS EMBARRASSED SMOOCH DROOL OBSESSED MONEY TEASE SHOWOFF COMFORT CLAP
    PRAISE STRIVE XBLUSH SILENT WHAT FROWN SHY DIZZY LOOKDOWN CHUCKLE WAIL CRAZY WHIMPER BLUBBER WRONGED HUSKY SMUG
    HAMMER SHOCKED PETRIFIED SPEECHLESS DROWSY YAWN SICK PUKE BETRAYED HEADSET EatingFood MeMeMe Sigh Typing Lemon Get
    LGTM OnIt VRHeadset YouAreTheBest SALUTE HIGHFIVE UPPERLEFT SLIGHT TONGUE EYESCLOSED RoarForYou CALF BEAR BULL
    RAINBOWPUKE LIPS CUCUMBER Drumstick Pepper CANDIEDHAWS BubbleTea Yes No OKR MinusOne AWESOMEN XmasTree Snowman
    XmasHat FIREWORKS 2022 REDPACKET FORTUNE LUCK FIRECRACKER StickyRiceBalls StatusFlashOfInspiration 18X CLEAVER
    Soccer Basketball GeneralDoNotDisturb Status_PrivateMessage GeneralInMeetingBusy StatusReading StatusInFlight
    GeneralBusinessTrip GeneralWorkFromHome StatusEnjoyLife GeneralTravellingCar StatusBus GeneralSun GeneralMoonRest
    MoonRabbit Mooncake JubilantRabbit TV Movie Pumpkin BeamingFace Delighted ColdSweat FullMoonFace Partying GoGoGo
    ThanksFace SaluteFace ClownFace HappyDragon
    """.split()
)
