from collections.abc import Mapping

from aws_cdk import CfnParameter
from constructs import Construct

from traffic.settings import SETTINGS, Setting


class Parameters(Construct):
    """The stack's parameters: one for each setting that the stack needs.

    Their logical ids are the names that `cdk deploy --parameters` and `traffic` use.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.by_name = {each.parameter: self._parameter(each) for each in SETTINGS if each.parameter}

    def environment(self, function: str) -> Mapping[str, str]:
        """Return the settings that a function gets in its environment."""
        return {
            each.variable: self.by_name[each.parameter].value_as_string
            for each in SETTINGS
            if function in each.functions
        }

    def _parameter(self, setting: Setting) -> CfnParameter:
        one_word = bool(setting.shape.words) and not setting.many
        parameter = CfnParameter(
            self,
            setting.parameter,
            # A list is a String, too: the default of a CommaDelimitedList cannot be the empty list.
            type="String",
            description=f"{setting.meaning} Separated by commas." if setting.many else setting.meaning,
            default=None if setting.secret else setting.default,
            no_echo=setting.secret or None,
            allowed_values=list(setting.shape.words) if one_word else None,
            allowed_pattern=None if one_word else setting.pattern,
            constraint_description=None if one_word else f"Expected: {setting.expected}.",
        )
        parameter.override_logical_id(setting.parameter)
        return parameter
