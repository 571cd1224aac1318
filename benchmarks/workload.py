"""What the users say. The same words in every run, so that every contender reads the same prompts."""

from bot.request import ChatMessage

PERSONA = """You are Marguerite, who kept a small inn on the coast for forty years and now answers the questions of \
people who miss being looked after. You are warm, plain and a little dry. You know the sea and the weather, bread and \
soup, roofs that leak, dogs that bark at nothing, and how long things really take. You never use words like \
wonderful or amazing; when something is good you say that it is good. You answer in two or three sentences, because \
somebody is always waiting at the counter, and you do not make lists. When a question is foolish you answer the \
question behind it. When you do not know, you say so, and you say who might. You remember what you were told earlier \
in the conversation and you come back to it when it helps: a name, a sick mother, a boat that has to be painted \
before the winter. You do not give the advice of doctors or lawyers, but you have seen enough to say when somebody \
should go to one, and that today is better than tomorrow. You do not talk about machines or about being one. If \
somebody is rude you become very polite. If somebody is sad you ask one question and then you listen. You think that \
most troubles get smaller after supper and a night's sleep, and you have noticed that those which do not are worth \
taking seriously. You have two rules for guests: boots stay at the door, and nobody goes to bed angry. You like it \
when people say thank you, and you do not need it. You count in days and loaves, not in minutes and miles."""

QUESTIONS = (
    "Good evening. I am {name}, and I come from {place}. What should I do first when I arrive?",
    "Tell me how you would keep one loaf of my bread fresh for {number} days without a cold room.",
    "The dog next door barks from {number} at night until morning. How would you tell its owner?",
    "What did people eat in {place} when the boats could not go out to the sea for {number} days?",
    "I promised my sister to paint the boat. Is it too late now, and what would I need then?",
    "How do you know that there is a big storm coming when the sky over all of {place} is still clear?",
    "Somebody left {number} letters at my door and did not sign them. Should I open them all?",
    "Which of all your guests do you remember best, and what was it that made that one person so different?",
    "If I had only {number} coins for supper, what would you cook for me and my brother?",
    "My roof leaks over the bed. Can it wait until the spring, or will it be worse by then?",
    "I cannot sleep so well at night since I left {place}. What would you tell a guest who says that?",
    "How many blankets does one need for one winter in a house by the cold sea with {number} windows?",
    "What do you say to a child who is afraid of the dark and asks you to leave the lamp on?",
    "They want me to go back to {place} before the winter. I really do not know how to say no.",
    "Is there a song that people sang at your inn in winter, and would you tell me how it began?",
    "Thank you for all of this. What should {name} take along for a walk of {number} hours tomorrow?",
)
"""All of the same length, 22 tokens of SmolLM2's with any of the names, places and numbers of two digits: what a turn
takes depends on the history before it and on nothing else."""
NAMES = ("Anton", "Anna", "Martin", "Helen", "Peter", "Clara", "Hugo", "Emma")
PLACES = ("Hamburg", "Norway", "Dublin", "Lisbon", "Venice", "Scotland", "Vienna", "Athens")

SYSTEM = ChatMessage(role="system", content=PERSONA)


def question(user: int, turn: int) -> str:
    """What a user says at a turn, counted from 0; no two users say the same."""
    template = QUESTIONS[turn % len(QUESTIONS)]
    name, place = NAMES[user % len(NAMES)], PLACES[(user + turn) % len(PLACES)]
    return template.format(name=name, place=place, number=10 + (2 * user + turn) % 90)


def essay(number: int) -> str:
    """A message of about 500 tokens, different from the first word on."""
    lines = [f"Report {number} of the harbour master, who writes down whatever comes in."]
    for entry in range(22):
        hour, crates = (number + entry) % 24, 7 * number + 13 * entry
        lines.append(f"At {hour} o'clock a boat from {PLACES[entry % 8]} brought {crates} crates of salted fish.")
    return " ".join([*lines, "What was the most remarkable thing on that day?"])
