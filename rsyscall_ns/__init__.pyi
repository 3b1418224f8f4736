from .constants import *
from .errors import *
from .objects import *
from .structs import *
