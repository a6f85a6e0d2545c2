/**
 * Word lists that invented titles and artists are put together from. Lists are strings, split at
 * blanks (or at commas where entries have blanks).
 */
const list = (text: string): readonly string[] => text.trim().split(/\s+/);
const phrases = (text: string): readonly string[] => text.split(',').map((s) => s.trim());

export const ADJECTIVES = list(`
Amber Ancient Another Ashen Autumn Azure Backward Bare Bitter Blind Borrowed Braided Brazen Bright Brittle Broken Burning Buried Careless Cedar Chalk Clever Cobalt Cold Common
Copper Counted Crooked Curious Daily Dappled Daring Dim Distant Double Downhill Drowsy Dusty Early Easy Eastern Eleventh Empty Endless Errant Faded Faithful Faint Feathered
Final Folded Foreign Forgotten Fragile Frozen Gentle Gilded Golden Half-Lit Hazel Heavy Hidden Hollow Homemade Honest Humble Hungry Idle Inland Ivory Jagged Kindred Last Late
Lavender Leaning Level Light Little Lonesome Long Lost Loyal Lucid Marble Matchstick Midnight Mild Missing Modest Moonlit Narrow Nearby Nervous Nocturnal Northern Numbered
Open Opal Ordinary Outer Painted Pale Paper Patient Perfect Plain Polite Private Proper Quiet Quick Ragged Rainy Rented Restless Rolling Rough Rusty Sacred Salted Scarlet Secret
Second Shallow Silent Silver Simple Sleepless Slender Slow Small Smoky Soft Solemn Southern Spare Spoken Stolen Stony Strange Sudden Summer Sunken Tangled Tender Thirsty
Timid Tin Tired Twin Unfinished Uneven Upstairs Velvet Violet Wandering Warm Weathered Western Whispered White Wild Willing Winter Wooden Woven Yellow Young
`);

export const NOUNS = list(`
Acorn Address Afternoon Airport Alley Almanac Alphabet Anchor Angle Animal Answer Antenna Apron Arcade Arrow Atlas Attic Avenue Balcony Ballad Balloon Bandage Barn Basin
Beacon Bell Bicycle Birch Blanket Blossom Boat Bonfire Border Bottle Boulder Bracelet Branch Bread Breeze Bridge Broadcast Bucket Button Cabin Calendar Camera Candle Canyon
Carousel Cartridge Castle Cathedral Ceiling Cellar Ceremony Chain Chapel Chorus Circle Circuit City Clock Cloud Coast Colony Comet Compass Concrete Confession Copy Corner
Costume Cottage Country Courtyard Cradle Crater Creek Crescent Crown Crystal Current Curtain Dance Daughter Daylight Deadline Debt Decade Delta Desert Diary Diamond Dictionary
Disguise Distance Doorway Dragonfly Drawer Dream Driveway Drum Dust Echo Eclipse Electricity Elevator Ember Engine Envelope Error Evening Everything Exit Fable Factory Fairground
Farewell Feather Fence Ferry Festival Fever Field Firefly Flag Flame Flood Floor Flower Fog Footprint Forecast Forest Fountain Fox Fraction Frame Frequency Friend Frontier Frost
Future Galaxy Gallery Garden Gate Geography Ghost Glacier Glass Glove Gravity Greenhouse Guest Guitar Habit Hallway Hammer Harbour Harvest Headlight Heart Heron Highway Hill
Holiday Horizon Horse Hotel Hour Hurricane Hymn Ink Island Ivy Jacket January Jewel Journey Juniper Jury Kerosene Key Kingdom Kitchen Kite Ladder Lake Lamp Language Lantern
Laundry Leaf Lemon Letter Library Lighthouse Lightning Lily Lion Logic Lullaby Machine Magnet Mailbox Maple Map Margin Marigold Market Mask Meadow Medal Melody Memory Mercury
Message Meteor Midsummer Milk Mineral Mirror Mischief Monument Moon Morning Moth Mountain Museum Mystery Nation Needle Neighbour Neon Nest Nettle Newspaper Nickel Night
November Number Oath Obstacle Ocean October Orbit Orchard Orchid Ornament Orphan Outline Owl Oxygen Palace Paragraph Parade Passage Passenger Pattern Pavement Pearl Pendulum
Pepper Photograph Piano Pillow Pine Pioneer Planet Platform Playground Pocket Poem Postcard Prairie Prayer Prism Promise Puzzle Quarry Question Queue Rabbit Radio Railway Rain
Receipt Reason Refrain Remedy Reply Reservoir Return Rhythm Ribbon Riddle River Robin Rocket Rooftop Room Rope Rose Ruin Rumour Saddle Sailor Salt Sapling Satellite Scaffold
Scarf School Sculpture Season Seaside Sentence Shadow Shape Shelter Shoreline Shoulder Shutter Siren Signal Sister Skeleton Sky Sleep Smoke Snow Solstice Song Souvenir Sparrow
Spectrum Spiral Splinter Staircase Station Statue Stone Storm Story Stranger Street String Suitcase Sun Surface Swallow Swimmer Tambourine Tape Telegram Telephone Telescope Temple
Theatre Thistle Thread Threshold Thunder Tide Tiger Timber Tomorrow Tower Traffic Train Treasure Tunnel Turbine Umbrella Undertow Valley Velocity Veranda Village Violin Voice
Volcano Voyage Wagon Waiter Waltz Warning Watchtower Water Wave Weather Weekend Whale Wheel Whisper Wilderness Willow Window Wire Witness Wolf Wonder Woodland Word Yard Year Zenith
`);

export const VERBS = phrases(
  'Answer, Ask, Begin, Believe, Bend, Borrow, Breathe, Bring, Build, Call, Carry, Catch, Chase, Climb, Count, Cross, Dance, Disappear, Drift, Drive, Fall, Float, Fold, Follow, Forget, Forgive, Gather, Give, Hide, Hold, Hum, Keep, Kneel, Land, Laugh, Lean, Leave, Linger, Listen, Lose, Melt, Move, Open, Paint, Pour, Promise, Pull, Push, Reach, Remember, Return, Rise, Run, Sail, Save, Shake, Shine, Sing, Sink, Slip, Speak, Spin, Stay, Steal, Swim, Surrender, Tell, Throw, Trust, Turn, Unfold, Wait, Wake, Walk, Wander, Whisper, Wonder, Write',
);

export const GERUNDS = phrases(
  'Answering, Asking, Believing, Borrowing, Breathing, Building, Calling, Carrying, Catching, Chasing, Climbing, Counting, Crossing, Dancing, Drawing, Drifting, Driving, Falling, Finding, Floating, Folding, Following, Forgetting, Gathering, Growing, Hiding, Holding, Keeping, Learning, Leaving, Losing, Mending, Naming, Painting, Reading, Remembering, Running, Sailing, Saving, Shaking, Singing, Sinking, Sleeping, Stealing, Swimming, Teaching, Tracing, Turning, Waking, Watching, Weaving, Writing',
);

/** Invented or generic places, so that no title claims anything. */
export const PLACES = phrases(
  'Alder Street, Anselm Bay, Ashgrove, Bellhaven, Birchfield, Blackwater Lane, Bramley, Brindle Hill, Calder Falls, Carrow, Cedar Point, Chalk Lane, Corrie, Dalmere, Dunmarsh, East Harbour, Eldermoor, Elm Park, Fallow Creek, Farrow, Fenwick Hall, Glenmarrow, Granite Bay, Greyfield, Halden, Harrow Bridge, Hazelmere, Hollin, Kestrel Heights, Kingsferry, Lark Hill, Linden Square, Lowmoor, Maple Row, Marrow Lake, Mercy Street, Merrowdown, North Pier, Oldbridge, Orchard Road, Pell Harbour, Pine Hollow, Quarry Road, Quillon, Ravensby, Redwater, Rook Island, Rosemoor, Saltmarsh, Sandringford, Selkirk Row, Seven Oaks Drive, Silverlake Road, Skarra, South Meadow, Starling Court, Stonemouth, Tamber, Thornfield, Tidewater, Upper Vale, Vesper Street, Wexmoor, Whitcombe, Willow Bend, Winterbourne, Yarrow',
);

export const FIRST_NAMES = list(`
Ada Alba Alma Amos Anouk Ansel Arlo Asta Beatrix Benno Bram Calla Caspian Cleo Cora Dara Delia Edda Elio Elsbeth Emeric Enid Esme Ezra Fenna Ferris Fleur Gideon Greta Hollis
Ida Idris Imogen Ines Ingrid Isolde Ivo Jonas Juno Kasimir Kit Lark Leander Leda Linnea Lorcan Lotte Lucian Mabel Maeve Magnus Maren Marlo Matilda Milo Mira Nell Nico Niamh
Odette Olive Orla Oskar Otis Petra Perpetua Quentin Ramona Remy Rhea Roan Rosalind Rufus Saskia Selma Silas Solveig Sorrel Stellan Sunniva Tamsin Thea Tobin Tova Ursula Vera
Viggo Wanda Wilhelmina Willa Xavi Ysolde Yuna Zadie Zelda Zora
`);

export const LAST_NAMES = list(`
Abernathy Ackerby Almquist Ambrose Ashdown Averill Bancroft Barlowe Beaumarsh Bellweather Birkett Blackwood Bramwell Brightwater Calloway Carmody Castellane Coldwell Corrigan
Crowther Dalgaard Danvers Darrow Delacourt Drummond Eastlake Ellery Emberson Fairweather Falk Farrant Fenwright Fontaine Frost Gallant Garroway Greaves Hale Halloran Harkness
Hartigan Hathersage Hawksworth Hollander Holt Ironside Jessamy Kestrel Kilbride Kingsolver Lachlan Larkin Lindqvist Lovelace Mabry Marchetti Marlowe Merriweather Mirren Montrose
Nightingale Norrington Oakley Okafor Oyelaran Penhallow Pemberton Pryce Quill Ravenscroft Redfern Rosewell Rowntree Sandoval Selwyn Severin Sinclair Somerset Stormare Sutter
Tanager Tennyson Thackeray Thorne Trevanion Underhill Valcourt Vandermeer Vane Verity Wainwright Wakefield Westergaard Whitlock Wilder Winslow Wolfe Yarborough Zeller
`);

/** Syllables of made-up names: heavy ones for metal, light ones for electronic music. */
export const HEAVY = {
  start: list(
    'Bal Dra Dur Ere Fen Gor Grim Hel Ith Kar Kra Mal Mor Nar Neth Ob Oth Rag Skal Skor Thar Thul Ulf Ur Vald Var Vel Vor Wrath Xal Zar',
  ),
  end: list(
    'adon agul ak akhar amon anor ath athis azar dran dur enoth ethis gard gath goth grim heim ithil khan moor morn mourn oth rath rim roth thane thar ulk vald wyrm',
  ),
};
export const LIGHT = {
  start: list(
    'Aero Alu Ami Arca Astra Bio Ce Cy Del Elek Eo Flu Fo Gly Halo Hy Iso Ka Lu Lyra Me Mi Mono Neo Nu Ola Oma Opto Para Pha Poly Qua Ro Sei Syn Tele Tri Ula Va Vec Xe Ze',
  ),
  end: list(
    'bit bon cast cell deck dex dron flux form gen graph kit ko lith lon loop luma meta mira mode naut net nova phon plex ra ris scape sono tek tone tra tron va wave zon',
  ),
};

/** Words of metal and hardcore titles. */
export const GRIM = list(`
Abyss Agony Altar Ash Battle Beast Blade Blight Blood Bone Burial Cairn Carrion Catacomb Chaos Claw Coffin Crown Crypt Curse Darkness Decay Descent Doom Dusk Eclipse Effigy Exile Famine Fang Flesh
Frost Funeral Gallows Grave Hatred Hex Iron Judgment Legion Malice Monolith Night Oblivion Omen Pestilence Plague Pyre Ritual Ruin Scorn Scourge Serpent Shroud Sorrow Steel Storm Thorn Throne Tomb Torment
Vengeance Venom Void Vulture War Winter Wolf Wound Wrath
`);

/** Words of hip-hop, soul and dance titles and names. */
export const STREET = list(`
Avenue Bass Block Bounce Boulevard Cadence Cash Cipher Clique Corner Crew Crown Deck Dollar Dynasty Flow Frequency Gold Grind Groove Hustle Jewel Kingdom Ledger Level Lyric Metro Mic Money Motion Nickel
Parlour Phantom Prophet Province Rhyme Ritual Rooftop Scribe Sound Stoop Subway Summit Syndicate System Tempo Terrace Uptown Verse Vinyl Wisdom
`);

/** Phrases in other languages, for artists who sing in them. */
export const ABROAD = {
  french: {
    nouns: phrases(
      "l'été, la nuit, le matin, la pluie, l'hiver, la lumière, le jardin, la fenêtre, le café, l'étoile, la forêt, le rivage, l'île, le théâtre, la rivière, le silence, l'horizon, la fête, la neige, le château",
    ),
    links: phrases(
      'sans fin, à Montréal, et toi, déjà loin, en mémoire, à demi-mot, de février, après minuit, oubliée, où tu dors, et après, près de moi, encore une fois, au crépuscule',
    ),
    bands: phrases(
      'Les Heures Pâles, Café Boréal, Théo Marchand, Éloïse Garance, La Forêt Noire, Les Étés Courts, Côté Cour, Amélie Vasseur, Petit Séjour, Rêve Ordinaire, Hôtel du Phare, Noé Lachance',
    ),
  },
  german: {
    nouns: phrases(
      'Der Himmel, Die Straße, Ein Fenster, Das Licht, Der Mond, Die Brücke, Ein Märchen, Das Gewitter, Die Küste, Der Morgen, Die Stille, Ein Mädchen, Das Wasser, Der Schlüssel, Die Uhr, Der Nebel',
    ),
    links: phrases(
      'über den Dächern, im Regen, ohne dich, für immer, kehrt zurück, schläft, nach Mitternacht, am Fluss, und ich, zu spät, in Blau, ohne Namen, hört uns nicht, im Frühling',
    ),
    bands: phrases(
      'Nebelküste, Schöne Grüße, Die Straßenlichter, Karl Überland, Grünspecht, Hafen Süd, Die Möwen, Lotte Sommerfeld, Mondfähre, Blaue Stunde Köln, Fräulein Zorn, Das Kühle Blech',
    ),
  },
  swedish: {
    nouns: phrases(
      'Blå timmen, En sång, Sjön, Natten, Sommaren, Ett hus, Skogen, Vägen, Stjärnan, Havet, En dröm, Ljuset, Hösten, Staden, Snön, Gården',
    ),
    links: phrases(
      'i Malmö, vid ån, för dig, utan ord, på måndag, som var, är här, över isen, igen, på väg hem, till sist, under träden, i maj, och vi två',
    ),
    bands: phrases(
      'Norra Ljuset, Åsa Lindgård, Måndagsklubben, Gran & Ek, Sjöfågel, Hjärter Sju, Emil Strömby, Grå Häst, Vinteräpplen, Stilla Östersjön, Klöverfält, Torsdag Kväll',
    ),
  },
  spanish: {
    nouns: phrases(
      'La luna, El río, Un corazón, La montaña, El camino, La mañana, Una canción, El árbol, La niña, El jardín, La ciudad, Un sueño, El otoño, La estación, El tambor, La isla',
    ),
    links: phrases(
      'sin ti, y el mar, de papel, en Cádiz, que no duerme, del sur, otra vez, quizás, a las seis, de mi niñez, bajo la lluvia, y después, en agosto, de cristal',
    ),
    bands: phrases(
      'Los Años Claros, Inés Corvalán, Río Tranquilo, La Montaña Sola, Niño Cobalto, Sombra y Limón, Los Pájaros del Sur, Raúl Echánove, Señal Lejana, Las Tres Esquinas, Corazón de Lata, Tomás Quirós',
    ),
  },
  polish: {
    nouns: phrases(
      'Żółte światła, Noc, Mój dom, Rzeka, Zimowy sen, Ulica, Wiatr, Pociąg, Stary most, Błękit, Łąka, Cień',
    ),
    links: phrases(
      'nad Wisłą, bez słów, i my, w październiku, o świcie, na zawsze, jak wczoraj, we mgle, za oknem, do jutra',
    ),
    bands: phrases(
      'Biała Łódź, Cichy Dworzec, Żuraw i Wrona, Późne Lato, Mała Księga, Wrzesień Wieczorem, Srebrna Nić, Dom Pod Lasem',
    ),
  },
  japanese: {
    nouns: phrases(
      '夜の海, 青い窓, 雨の駅, 春の道, 小さな星, 遠い声, 白い鳥, 夏の終わり, 月の庭, 朝の光',
    ),
    links: phrases(
      'と君, まで, の歌, をさがして, より, のうた 第二番, へ, の記憶, とひかり, のあと',
    ),
    bands: phrases(
      'Aoi Tsuki Club, 風の図書館, Hoshi no Machi, 夕暮れ電車, Kumo Radio, 雨音バンド, Midori Window, 白夜灯',
    ),
  },
  russian: {
    nouns: phrases(
      'Белая ночь, Старый дом, Зимний свет, Река, Последний трамвай, Тихий сад, Северный ветер, Дорога',
    ),
    links: phrases('и ты, без слов, до утра, над городом, снова, как вчера, в январе, за окном'),
    bands: phrases(
      'Тихий Причал, Северная Линия, Белый Трамвай, Zimniy Sad, Окно Напротив, Дальний Свет',
    ),
  },
} as const;

export type Language = keyof typeof ABROAD;
